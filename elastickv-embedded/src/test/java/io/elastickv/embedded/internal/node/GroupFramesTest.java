package io.elastickv.embedded.internal.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.embedded.internal.raft.core.MalformedMessageException;
import io.elastickv.embedded.internal.raft.core.RaftMessage;
import io.elastickv.embedded.internal.raft.core.RaftMessageCodec;
import io.elastickv.embedded.internal.transport.EncodedMessage;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class GroupFramesTest {

    private static final RaftMessage MESSAGE = new RaftMessage.TimeoutNow(7);

    private static ByteBuffer bytes(EncodedMessage message) {
        ByteBuffer bytes = ByteBuffer.allocate(message.size());
        message.writeTo(bytes);
        assertThat(bytes.hasRemaining()).isFalse();
        return bytes.flip();
    }

    @Test
    void aMessageNamesBothMembers() {
        GroupFrames sender = new GroupFrames("n1@ab");
        ByteBuffer frame = bytes(sender.frame("n2@cd.5", MESSAGE));
        ByteBuffer message = ByteBuffer.allocate(RaftMessageCodec.encodedSize(MESSAGE));
        RaftMessageCodec.encode(MESSAGE, message);
        byte[] framed = new byte[frame.remaining()];
        frame.duplicate().get(framed);
        assertThat(HexFormat.of().formatHex(framed))
                .isEqualTo("026162" + "0463642e35" + HexFormat.of().formatHex(message.array()));
        assertThat(sender.nodeOf("n2@cd.5")).isEqualTo("n2");
        GroupFrames receiver = new GroupFrames("n2@cd.5");
        assertThat(receiver.sender("n1", frame)).isEqualTo("n1@ab");
        assertThat(RaftMessageCodec.decode(frame)).isEqualTo(MESSAGE);
    }

    @Test
    void aSenderIsMadeATextOfOnce() {
        GroupFrames sender = new GroupFrames("n1@ab");
        GroupFrames receiver = new GroupFrames("n2@cd");
        String first = receiver.sender("n1", bytes(sender.frame("n2@cd", MESSAGE)));
        assertThat(receiver.sender("n1", bytes(sender.frame("n2@cd", MESSAGE)))).isSameAs(first);
        assertThat(receiver.sender("n3", bytes(sender.frame("n2@cd", MESSAGE))))
                .as("the same key on another node")
                .isEqualTo("n3@ab");
    }

    @Test
    void whatIsForAFormerReplicaIsNotDelivered() {
        GroupFrames sender = new GroupFrames("n1@ab");
        for (String former : new String[] {"n2@cd", "n2@cd.4", "n2@cd.55", "n2", "n2@xx.5"}) {
            assertThat(new GroupFrames("n2@cd.5").sender("n1", bytes(sender.frame(former, MESSAGE))))
                    .isNull();
        }
    }

    @Test
    void anyNumberOfMembersMayComeAndGo() {
        GroupFrames receiver = new GroupFrames("n2@cd");
        for (int i = 0; i < 1000; i++) {
            GroupFrames sender = new GroupFrames("n1@" + i);
            assertThat(receiver.sender("n1", bytes(sender.frame("n2@cd", MESSAGE))))
                    .isEqualTo("n1@" + i);
            assertThat(receiver.nodeOf("n" + i + "@x")).isEqualTo("n" + i);
        }
    }

    @Test
    void addressesThatAreCutShortAreRefused() {
        byte[] frame = bytes(new GroupFrames("n1@ab").frame("n2@cd", MESSAGE)).array();
        for (int length = 0; length < 6; length++) {
            ByteBuffer cut = ByteBuffer.wrap(frame, 0, length);
            assertThatThrownBy(() -> new GroupFrames("n2@cd").sender("n1", cut))
                    .isInstanceOf(MalformedMessageException.class);
        }
    }
}
