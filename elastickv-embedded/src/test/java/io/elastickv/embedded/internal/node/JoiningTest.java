package io.elastickv.embedded.internal.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.internal.node.JoinProtocol.Join;
import io.elastickv.embedded.internal.node.JoinProtocol.Joined;
import io.elastickv.embedded.internal.node.JoinProtocol.State;
import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Member;
import io.elastickv.embedded.internal.transport.PeerAddress;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class JoiningTest {

    private static final ClusterLayout LAYOUT = new ClusterLayout(List.of(new Member("n1", "h", 1, "ab")), 8, 3);

    private final List<String> asked = new ArrayList<>();
    private final List<RpcCallback> pending = new ArrayList<>();
    private final List<String> outcomes = new ArrayList<>();
    private final Joining joining = new Joining(
            new Join("n9", "cd", new PeerAddress("h", 9), ""),
            List.of(new PeerAddress("h", 1), new PeerAddress("h", 2)),
            (address, method, payload, timeoutNanos, callback) -> {
                assertThat(method).isEqualTo(JoinProtocol.METHOD_JOIN);
                assertThat(Join.decode(ByteBuffer.wrap(payload)).name()).isEqualTo("n9");
                asked.add(address.toString());
                pending.add(callback);
            },
            layout -> outcomes.add("joined " + layout.clusterIdText()),
            why -> outcomes.add("refused: " + why));

    private void answer(State state, String text) {
        pending.remove(0).success(ByteBuffer.wrap(new Joined(state, text).encode()));
    }

    @Test
    void oneAfterTheOtherIsAskedUntilOneLetsItIn() {
        joining.poll();
        joining.poll();
        assertThat(asked).as("one at a time").containsExactly("h:1");
        pending.remove(0).failure(RpcFailure.NO_ANSWER);
        assertThat(joining.problem()).isEqualTo("h:1 does not answer");
        joining.poll();
        answer(State.LATER, "not yet");
        assertThat(joining.problem()).isEqualTo("h:2 says: not yet");
        joining.poll();
        assertThat(asked).containsExactly("h:1", "h:2", "h:1");
        answer(State.MEMBER, LAYOUT.toText());
        joining.poll();
        assertThat(asked).hasSize(3);
        assertThat(outcomes).containsExactly("joined " + LAYOUT.clusterIdText());
    }

    @Test
    void aRefusalIsFinal() {
        joining.poll();
        answer(State.REFUSED, "there is one of that name");
        joining.poll();
        assertThat(asked).hasSize(1);
        assertThat(outcomes).containsExactly("refused: there is one of that name");
    }

    @Test
    void whatCannotBeReadIsNoOutcome() {
        joining.poll();
        answer(State.MEMBER, "elastickv-layout 99");
        assertThat(joining.problem()).contains("cannot be read");
        joining.poll();
        pending.remove(0).success(ByteBuffer.wrap(new byte[] {9}));
        joining.poll();
        assertThat(asked).hasSize(3);
        assertThat(outcomes).isEmpty();
        joining.stop();
        answer(State.MEMBER, LAYOUT.toText());
        assertThat(outcomes).as("after the end").isEmpty();
    }
}
