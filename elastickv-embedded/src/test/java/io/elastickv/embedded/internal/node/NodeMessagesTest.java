package io.elastickv.embedded.internal.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Member;
import io.elastickv.embedded.internal.placement.Succession;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.transport.PeerAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The bytes of {@link Hello} and {@link NodeStatus}. */
class NodeMessagesTest {

    private static final ClusterLayout LAYOUT = new ClusterLayout(List.of(new Member("n1", "h", 7801, "0123")), 8, 3);

    private static Hello hello(ClusterLayout layout) {
        return new Hello("n1", "ab", false, new PeerAddress("h", 7801), 8, 3, List.of("h:1", "h:2"), layout);
    }

    private static NodeStatus status() {
        return new NodeStatus(
                "h:1",
                "ab",
                true,
                "z",
                9,
                new TreeMap<>(Map.of("a", "b")),
                List.of(new Succession("n2", 7, "cd")),
                new TreeMap<>(Map.of(
                        1,
                        new NodeStatus.Shard(5, true, null),
                        70_000,
                        new NodeStatus.Shard(-1, false, new Configuration(3, List.of("n@a"), List.of())))));
    }

    @Test
    void theBytesOfAHelloStay() {
        assertThat(HexFormat.of().formatHex(hello(null).encode()))
                .isEqualTo("01" + "00026e31" + "00026162" + "00" + "0006683a37383031" + "00000008" + "00000003" + "0002"
                        + "0003683a31" + "0003683a32" + "0000");
    }

    @Test
    void theBytesOfAStatusStay() {
        assertThat(HexFormat.of().formatHex(status().encode()))
                .isEqualTo("03" + "0003683a31" + "00026162" + "01" + "00017a" + "0000000000000009"
                        + "0001" + "000161" + "000162"
                        + "0001" + "00026e32" + "0000000000000007" + "00026364"
                        + "0002" + "00000001" + "0000000000000005" + "01" + "0000"
                        + "00011170" + "ffffffffffffffff" + "00" + "0012"
                        + "01" + "0000000000000003" + "0001" + "00036e4061" + "0000");
    }

    @Test
    void whatIsWrittenIsRead() {
        assertThat(Hello.decode(ByteBuffer.wrap(hello(null).encode()))).isEqualTo(hello(null));
        Hello formed = Hello.decode(ByteBuffer.wrap(hello(LAYOUT).encode()));
        assertThat(formed.layout().toText()).isEqualTo(LAYOUT.toText());
        assertThat(NodeStatus.decode(ByteBuffer.wrap(status().encode()))).isEqualTo(status());
        NodeStatus nothing = new NodeStatus("h:1", "", false, "", 0, Map.of(), List.of(), Map.of());
        assertThat(NodeStatus.decode(ByteBuffer.wrap(nothing.encode()))).isEqualTo(nothing);
    }

    @Test
    void everyTruncationIsRefused() {
        assertTruncationsRefused(hello(LAYOUT).encode(), Hello::decode);
        assertTruncationsRefused(hello(null).encode(), Hello::decode);
        assertTruncationsRefused(status().encode(), NodeStatus::decode);
    }

    private static void assertTruncationsRefused(byte[] bytes, Consumer<ByteBuffer> decoder) {
        for (int length = 0; length < bytes.length; length++) {
            ByteBuffer cut = ByteBuffer.wrap(bytes, 0, length);
            assertThatIllegalArgumentException()
                    .as("%d of %d bytes", length, bytes.length)
                    .isThrownBy(() -> decoder.accept(cut));
        }
    }

    @Test
    void anotherVersionIsNamed() {
        byte[] hello = hello(null).encode();
        hello[0] = 9;
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Hello.decode(ByteBuffer.wrap(hello)))
                .withMessageContaining("hello of version 9");
        byte[] status = status().encode();
        status[0] = 9;
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NodeStatus.decode(ByteBuffer.wrap(status)))
                .withMessageContaining("status of version 9");
    }

    @Test
    void whateverBytesComeOnlyTheStatedExceptionLeaves() {
        assertOnlyStated(hello(LAYOUT).encode(), Hello::decode);
        assertOnlyStated(hello(null).encode(), Hello::decode);
        assertOnlyStated(status().encode(), NodeStatus::decode);
    }

    private static void assertOnlyStated(byte[] sample, Consumer<ByteBuffer> decoder) {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        int refused = 0;
        for (int i = 0; i < 50_000; i++) {
            byte[] bytes =
                    Arrays.copyOf(sample, random.nextInt(8) == 0 ? random.nextInt(sample.length) : sample.length);
            for (int flips = 1 + random.nextInt(3); flips > 0 && bytes.length > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            try {
                decoder.accept(ByteBuffer.wrap(bytes));
            } catch (IllegalArgumentException expected) {
                refused++;
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
        assertThat(refused).isPositive();
    }

    @Test
    void moreSeedsThanAllowedAreRefused() {
        List<String> many = java.util.Collections.nCopies(1025, "h:1");
        Hello large = new Hello("n1", "ab", false, new PeerAddress("h", 1), 8, 3, many, null);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Hello.decode(ByteBuffer.wrap(large.encode())))
                .withMessage("hello with 1025 seeds");
    }
}
