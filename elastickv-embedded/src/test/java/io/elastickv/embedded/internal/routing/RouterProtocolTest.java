package io.elastickv.embedded.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.raft.ProposalCallback.Refusal;
import io.elastickv.embedded.internal.routing.RouterProtocol.Owner;
import io.elastickv.embedded.internal.routing.RouterProtocol.Request;
import io.elastickv.embedded.internal.routing.RouterProtocol.Response;
import io.elastickv.embedded.internal.routing.RouterProtocol.Status;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RouterProtocolTest {

    private static final HexFormat HEX = HexFormat.of();

    @Test
    void theBytesOfARequestStay() {
        byte[] bytes = RouterProtocol.request(0x01020304, 16383, RouterProtocol.FLAG_LOCAL, new byte[] {9, 8});
        assertThat(HEX.formatHex(bytes)).isEqualTo("02" + "01020304" + "3fff" + "01" + "0908");
    }

    @Test
    void theBytesOfAResponseStay() {
        assertThat(HEX.formatHex(RouterProtocol.response(Status.NOT_LEADER, 5, "n1", RouterProtocol.NO_BODY)))
                .isEqualTo("02" + "01" + "0000000000000005" + "02" + "6e31");
        assertThat(HEX.formatHex(RouterProtocol.response(Status.OK, 0, null, new byte[] {7})))
                .isEqualTo("02" + "00" + "0000000000000000" + "ff" + "07");
        assertThat(HEX.formatHex(RouterProtocol.response(Status.UNKNOWN, -1, "", RouterProtocol.NO_BODY)))
                .isEqualTo("02" + "04" + "ffffffffffffffff" + "00");
    }

    @Test
    void theCodesAndNumbersStay() {
        assertThat(Status.values())
                .containsExactly(
                        Status.OK,
                        Status.NOT_LEADER,
                        Status.OVERLOADED,
                        Status.FAILED,
                        Status.UNKNOWN,
                        Status.MALFORMED,
                        Status.NOT_HERE,
                        Status.WRONG_SHARD);
        assertThat(RouterProtocol.METHOD_WRITE).isEqualTo(16);
        assertThat(RouterProtocol.METHOD_READ).isEqualTo(17);
        for (Refusal refusal : Refusal.values()) {
            assertThat(Status.of(refusal).name()).isEqualTo(refusal.name());
        }
    }

    @Test
    void whatIsWrittenIsRead() {
        Request request =
                RouterProtocol.decodeRequest(ByteBuffer.wrap(RouterProtocol.request(-7, 5, 3, new byte[] {1})));
        assertThat(request.shard()).isEqualTo(-7);
        assertThat(request.slot()).isEqualTo(5);
        assertThat(request.flags()).isEqualTo(3);
        assertThat(request.body()).containsExactly(1);
        String longest = "n".repeat(254);
        for (Status status : Status.values()) {
            Response response = RouterProtocol.decodeResponse(
                    ByteBuffer.wrap(RouterProtocol.response(status, 1L << 40, longest, new byte[] {1, 2})));
            assertThat(response.status()).isEqualTo(status);
            assertThat(response.term()).isEqualTo(1L << 40);
            assertThat(response.leader()).isEqualTo(longest);
            assertThat(response.body()).containsExactly(1, 2);
        }
    }

    private static final List<Owner> OWNERS = List.of(
            new Owner(
                    new Claim(7, 3, List.of(new SlotRange(0, 255), new SlotRange(300, 16383)), List.of("n1")), 4, "n2"),
            new Owner(new Claim(1 << 30, 1L << 40, List.of(), List.of()), 0, null));

    @Test
    void theBytesOfClaimsStay() {
        assertThat(HEX.formatHex(RouterProtocol.claims(OWNERS)))
                .isEqualTo("02" + "00000007" + "0000000000000003" + "0000000000000004" + "026e32" + "0002" + "000000ff"
                        + "012c3fff" + "01" + "026e31" + "40000000" + "0000010000000000" + "0000000000000000" + "ff"
                        + "0000" + "00");
        assertThat(RouterProtocol.decodeClaims(RouterProtocol.claims(OWNERS))).isEqualTo(OWNERS);
        assertThat(RouterProtocol.decodeClaims(RouterProtocol.NO_BODY)).isEmpty();
    }

    @Test
    void damagedClaimsAreRefusedOrRead() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        byte[] sample = RouterProtocol.claims(OWNERS);
        for (int i = 0; i < 100_000; i++) {
            byte[] bytes = Arrays.copyOf(sample, random.nextInt(sample.length + 1));
            for (int flips = random.nextInt(4); flips > 0 && bytes.length > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            try {
                assertThat(RouterProtocol.decodeClaims(bytes))
                        .as("seed %d", seed)
                        .hasSizeLessThan(256);
            } catch (IllegalArgumentException expected) {
                assertThat(expected).as("seed %d", seed).hasMessageMatching("(?s).*(response|slot).*");
            }
        }
    }

    @Test
    void aNameThatDoesNotFitIsNotSent() {
        Response response = RouterProtocol.decodeResponse(
                ByteBuffer.wrap(RouterProtocol.response(Status.NOT_LEADER, 3, "n".repeat(255), new byte[] {1, 2})));
        assertThat(response.leader()).isNull();
        assertThat(response.body()).containsExactly(1, 2);
    }

    @Test
    void anotherVersionIsNamed() {
        byte[] bytes = RouterProtocol.request(1, 0, 0, new byte[0]);
        bytes[0] = 1;
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RouterProtocol.decodeRequest(ByteBuffer.wrap(bytes)))
                .withMessageContaining("router protocol version 1")
                .withMessageContaining("same version of the library");
    }

    @Test
    void aTruncatedMessageIsRefused() {
        byte[] request = RouterProtocol.request(1, 0, 0, RouterProtocol.NO_BODY);
        for (int length = 0; length < request.length; length++) {
            ByteBuffer cut = ByteBuffer.wrap(request, 0, length);
            assertThatIllegalArgumentException().isThrownBy(() -> RouterProtocol.decodeRequest(cut));
        }
        byte[] response = RouterProtocol.response(Status.OK, 1, "n1", RouterProtocol.NO_BODY);
        for (int length = 0; length < response.length; length++) {
            ByteBuffer cut = ByteBuffer.wrap(response, 0, length);
            assertThatIllegalArgumentException().isThrownBy(() -> RouterProtocol.decodeResponse(cut));
        }
    }

    @Test
    void whateverBytesComeOnlyTheStatedExceptionLeaves() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        byte[] sample = RouterProtocol.response(Status.NOT_LEADER, 77, "node-1", new byte[] {1, 2, 3});
        for (int i = 0; i < 200_000; i++) {
            byte[] bytes = Arrays.copyOf(sample, random.nextInt(sample.length + 4));
            for (int flips = random.nextInt(4); flips > 0 && bytes.length > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            try {
                Response response = RouterProtocol.decodeResponse(ByteBuffer.wrap(bytes));
                assertThat(response.body().length).isLessThanOrEqualTo(bytes.length);
            } catch (IllegalArgumentException expected) {
                assertThat(expected).as("seed %d", seed).hasMessageMatching("(?s).*(response|version).*");
            }
            try {
                assertThat(RouterProtocol.decodeRequest(ByteBuffer.wrap(bytes)).body())
                        .hasSize(bytes.length - 8);
            } catch (IllegalArgumentException expected) {
                assertThat(expected).as("seed %d", seed).hasMessageMatching("(?s).*(request|version).*");
            }
        }
    }
}
