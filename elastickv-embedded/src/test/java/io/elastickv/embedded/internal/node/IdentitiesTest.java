package io.elastickv.embedded.internal.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Member;
import io.elastickv.embedded.internal.placement.Succession;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.transport.PeerAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class IdentitiesTest {

    private static final ClusterLayout LAYOUT = new ClusterLayout(
            List.of(
                    new Member("n1", "h", 1, "aaaaaaaa"),
                    new Member("n2", "h", 2, "bbbbbbbb"),
                    new Member("n3", "h", 3, "cccccccc")),
            2,
            3);

    private final List<ClusterLayout> kept = new ArrayList<>();
    private final List<String> refused = new ArrayList<>();
    private final Identities identities = new Identities("n1", "aaaaaaaa", kept::add, () -> 1000, refused::add);

    private static Hello hello(String name, String nodeId, int port, ClusterLayout layout) {
        return new Hello(name, nodeId, false, new PeerAddress("h", port), 2, 3, List.of(), layout);
    }

    @Test
    void anEmptyDirectoryTakesThePlaceOfTheLostOne() {
        identities.formed(LAYOUT);
        assertThat(identities.recognise(hello("n2", "dddddddd", 2, null), false))
                .isTrue();
        assertThat(identities.nodeIdOf("n2")).isEqualTo("dddddddd");
        assertThat(identities.isReplaced("n2", "bbbbbbbb")).isTrue();
        assertThat(identities.isReplaced("n2", "dddddddd")).isFalse();
        assertThat(kept)
                .singleElement()
                .satisfies(layout ->
                        assertThat(layout.successions()).containsExactly(new Succession("n2", 1000, "dddddddd")));
        assertThat(identities.recognise(hello("n2", "dddddddd", 2, null), false))
                .as("known by now")
                .isFalse();
        assertThat(identities.recognise(hello("n2", "bbbbbbbb", 2, null), false))
                .as("the lost one does not come back by it")
                .isFalse();
        assertThat(identities.recognise(hello("n2", "eeeeeeee", 2, null), false))
                .isTrue();
        assertThat(identities.isReplaced("n2", "dddddddd")).isTrue();
        assertThat(refused).isEmpty();
    }

    @Test
    void whoeverIsNoMemberWithoutItsDirectoryIsNotTakenForOne() {
        assertThat(identities.recognise(hello("n2", "dddddddd", 2, null), false))
                .as("before the cluster has formed")
                .isFalse();
        identities.formed(LAYOUT);
        assertThat(identities.recognise(hello("n2", "dddddddd", 2, null), true))
                .as("the former is alive")
                .isFalse();
        assertThat(identities.recognise(hello("n2", "dddddddd", 9, null), false))
                .as("from elsewhere")
                .isFalse();
        assertThat(identities.recognise(hello("n9", "dddddddd", 2, null), false))
                .isFalse();
        assertThat(identities.recognise(hello("n2", "dddddddd", 2, LAYOUT), false))
                .as("it has a layout, so its directory is not empty")
                .isFalse();
        assertThat(identities.recognise(
                        new Hello("n2", "", true, new PeerAddress("h", 2), 2, 3, List.of(), null), false))
                .isFalse();
        assertThat(identities.recognise(hello("n2", "bbbbbbbbff", 2, null), false))
                .as("its replicas could not be told from the lost ones")
                .isFalse();
        assertThat(kept).isEmpty();
    }

    @Test
    void whoeverHearsThatItWasReplacedStops() {
        identities.formed(LAYOUT);
        assertThat(identities.heard(List.of())).isFalse();
        assertThat(identities.heard(List.of(new Succession("n3", 5, "ffffffff"))))
                .isTrue();
        assertThat(identities.heard(List.of(new Succession("n3", 5, "ffffffff"))))
                .isFalse();
        assertThat(refused).isEmpty();
        assertThat(identities.heard(List.of(new Succession("n1", 5, "gggggggg"))))
                .isTrue();
        assertThat(refused)
                .singleElement()
                .asString()
                .contains("data directory aaaaaaaa of node n1 was given up", "gggggggg");
        assertThat(kept).hasSize(2);
    }

    @Test
    void whatCannotBeKeptIsNotKnown() {
        Identities failing = new Identities(
                "n1",
                "aaaaaaaa",
                layout -> {
                    throw new IllegalStateException("disk full");
                },
                () -> 1000,
                refused::add);
        failing.formed(LAYOUT);
        assertThatThrownBy(() -> failing.recognise(hello("n2", "dddddddd", 2, null), false))
                .hasMessage("disk full");
        assertThat(failing.nodeIdOf("n2")).isEqualTo("bbbbbbbb");
    }

    @Test
    void aShardOfWhichTooManyReplicasAreLostIsInTrouble() {
        identities.formed(LAYOUT);
        Configuration formed = ShardMembers.initial(LAYOUT, LAYOUT.placements().get(0));
        assertThat(formed.voters()).containsExactly("n1@aaaaaaaa", "n2@bbbbbbbb", "n3@cccccccc");
        assertThat(ShardMembers.trouble(formed, identities)).isNull();
        identities.recognise(hello("n2", "dddddddd", 2, null), false);
        assertThat(ShardMembers.trouble(formed, identities)).isNull();
        identities.recognise(hello("n3", "eeeeeeee", 3, null), false);
        assertThat(ShardMembers.trouble(formed, identities))
                .startsWith("no majority of its replicas remembers it: nodes [n2, n3]");
        assertThat(ShardMembers.trouble(formed.without("n3@cccccccc").withLearner("n3@eeeeeeee.2"), identities))
                .contains("1 of 2 replicas are left and 2 are needed");
    }
}
