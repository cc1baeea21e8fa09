package io.elastickv.embedded.internal.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.elastickv.embedded.internal.node.AdminProtocol.Answer;
import io.elastickv.embedded.internal.node.AdminProtocol.Kind;
import io.elastickv.embedded.internal.node.AdminProtocol.Request;
import io.elastickv.embedded.internal.node.JoinProtocol.Join;
import io.elastickv.embedded.internal.node.JoinProtocol.Joined;
import io.elastickv.embedded.internal.transport.PeerAddress;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The bytes of {@link AdminProtocol} and {@link JoinProtocol}. */
class AdminMessagesTest {

    private static final Join JOIN = new Join("n4", "ab", new PeerAddress("h", 7801), "z1");
    private static final Request REQUEST = new Request(Kind.MOVE, List.of("7", "n1", "n4"));
    private static final Answer ANSWER = new Answer(AdminProtocol.State.LATER, "no", new byte[] {1, 2});

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    @Test
    void theBytesStay() {
        assertThat(hex(JOIN.encode())).isEqualTo("01" + "00026e34" + "00026162" + "0006683a37383031" + "00027a31");
        assertThat(hex(new Joined(JoinProtocol.State.LATER, "é").encode())).isEqualTo("02" + "c3a9");
        assertThat(hex(REQUEST.encode())).isEqualTo("01" + "06" + "03" + "000137" + "00026e31" + "00026e34");
        assertThat(hex(ANSWER.encode())).isEqualTo("02" + "00026e6f" + "0102");
    }

    @Test
    void whatIsWrittenIsRead() {
        assertThat(Join.decode(ByteBuffer.wrap(JOIN.encode()))).isEqualTo(JOIN);
        assertThat(Request.decode(ByteBuffer.wrap(REQUEST.encode()))).isEqualTo(REQUEST);
        Joined refused = new Joined(JoinProtocol.State.REFUSED, "why");
        assertThat(Joined.decode(ByteBuffer.wrap(refused.encode()))).isEqualTo(refused);
        Answer answer = Answer.decode(ByteBuffer.wrap(ANSWER.encode()));
        assertThat(answer.state()).isEqualTo(ANSWER.state());
        assertThat(answer.text()).isEqualTo("no");
        assertThat(answer.body()).containsExactly(1, 2);
    }

    @Test
    void damageIsNamed() {
        refused(JOIN.encode(), Join::decode);
        refused(REQUEST.encode(), Request::decode);
        assertThatIllegalArgumentException().isThrownBy(() -> Joined.decode(ByteBuffer.wrap(new byte[] {3})));
        assertThatIllegalArgumentException().isThrownBy(() -> Joined.decode(ByteBuffer.wrap(new byte[] {})));
        assertThatIllegalArgumentException().isThrownBy(() -> Answer.decode(ByteBuffer.wrap(new byte[] {4, 0, 0})));
        byte[] newer = REQUEST.encode();
        newer[0] = 2;
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Request.decode(ByteBuffer.wrap(newer)))
                .withMessageContaining("same version of the library");
    }

    private static void refused(byte[] bytes, Consumer<ByteBuffer> decoder) {
        for (int length = 0; length < bytes.length; length++) {
            ByteBuffer cut = ByteBuffer.wrap(bytes, 0, length);
            assertThatIllegalArgumentException().as("of %d bytes", length).isThrownBy(() -> decoder.accept(cut));
        }
    }
}
