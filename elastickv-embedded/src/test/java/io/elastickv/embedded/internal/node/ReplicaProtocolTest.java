package io.elastickv.embedded.internal.node;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.node.ReplicaProtocol.Change;
import io.elastickv.embedded.internal.node.ReplicaProtocol.Changed;
import io.elastickv.embedded.internal.node.ReplicaProtocol.Made;
import io.elastickv.embedded.internal.node.ReplicaProtocol.Make;
import io.elastickv.embedded.internal.node.ReplicaProtocol.State;
import io.elastickv.embedded.internal.placement.ReplicaKey;
import io.elastickv.embedded.internal.raft.core.Configuration;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class ReplicaProtocolTest {

    private static final Make MAKE =
            new Make(3, "abcd", new ReplicaKey("abcd", 5), null, new Configuration(4, List.of("n@a"), List.of()));
    private static final Make MAKE_SPLIT_OFF = new Make(
            3,
            "abcd",
            new ReplicaKey("abcd", 5),
            new ShardBirth(3, 1, 7, List.of(new SlotRange(5, 9)), new Configuration(2, List.of("n@a"), List.of())),
            new Configuration(4, List.of("n@a"), List.of()));
    private static final Made MADE = new Made(true, "abcd.5");
    private static final Change CHANGE = new Change(3, true, "n4");
    private static final Changed CHANGED = new Changed(State.UNDER_WAY, "x");

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    @Test
    void theBytesStay() {
        assertThat(hex(MAKE.encode()))
                .isEqualTo("00000003" + "000461626364" + "0006616263642e35" + "0000" + "01" + "0000000000000004"
                        + "0001" + "00036e4061" + "0000");
        assertThat(hex(MAKE_SPLIT_OFF.encode()))
                .contains(hex(("1 7 5-9 01" + "0000000000000002" + "0001" + "00036e4061" + "0000").getBytes(US_ASCII)));
        assertThat(hex(MADE.encode())).isEqualTo("01" + "0006616263642e35");
        assertThat(hex(CHANGE.encode())).isEqualTo("00000003" + "01" + "00026e34");
        assertThat(hex(new Change(3, false, "n4").encode())).isEqualTo("00000003" + "02" + "00026e34");
        assertThat(hex(CHANGED.encode())).isEqualTo("02" + "000178");
    }

    @Test
    void whatIsWrittenIsRead() {
        assertThat(Make.decode(ByteBuffer.wrap(MAKE.encode()))).isEqualTo(MAKE);
        assertThat(Make.decode(ByteBuffer.wrap(MAKE_SPLIT_OFF.encode()))).isEqualTo(MAKE_SPLIT_OFF);
        assertThat(Made.decode(ByteBuffer.wrap(MADE.encode()))).isEqualTo(MADE);
        assertThat(Change.decode(ByteBuffer.wrap(CHANGE.encode()))).isEqualTo(CHANGE);
        for (State state : State.values()) {
            Changed changed = new Changed(state, "why");
            assertThat(Changed.decode(ByteBuffer.wrap(changed.encode()))).isEqualTo(changed);
        }
    }

    @Test
    void whateverBytesComeOnlyTheStatedExceptionLeaves() {
        assertOnlyStated(MAKE.encode(), Make::decode);
        assertOnlyStated(MAKE_SPLIT_OFF.encode(), Make::decode);
        assertOnlyStated(MADE.encode(), Made::decode);
        assertOnlyStated(CHANGE.encode(), Change::decode);
        assertOnlyStated(CHANGED.encode(), Changed::decode);
    }

    private static void assertOnlyStated(byte[] sample, Function<ByteBuffer, ?> decoder) {
        for (int length = 0; length < sample.length; length++) {
            ByteBuffer cut = ByteBuffer.wrap(sample, 0, length);
            assertThatIllegalArgumentException().isThrownBy(() -> decoder.apply(cut));
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> decoder.apply(ByteBuffer.wrap(Arrays.copyOf(sample, sample.length + 1))));
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = sample.clone();
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            try {
                assertThat(decoder.apply(ByteBuffer.wrap(bytes))).isNotNull();
            } catch (IllegalArgumentException expected) {
                // Refused, as it may be.
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }
}
