package io.elastickv.embedded.internal.raft;

import static io.elastickv.embedded.internal.raft.ReplicaFixture.append;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendRequest;
import io.elastickv.embedded.internal.raft.core.Role;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ProposalFreezeTest {

    private static final long HALF_A_SECOND = 500_000_000L;

    @TempDir
    Path directory;

    private final List<String> told = new ArrayList<>();
    private long token = -1;

    private ReplicaFixture three() {
        return new ReplicaFixture(directory, "n1", "n2", "n3");
    }

    private ReplicaFixture alone() {
        return new ReplicaFixture(directory, "n1");
    }

    private FreezeCallback callback(String name) {
        return new FreezeCallback() {
            @Override
            public void frozen(long freezeToken, long index, long term) {
                token = freezeToken;
                told.add(name + " frozen at " + index + " in " + term);
            }

            @Override
            public void broken(String reason) {
                told.add(name + " broken: " + reason);
            }
        };
    }

    private void freeze(ReplicaFixture replica, String name) {
        replica.manual.run(() -> replica.group.freeze(HALF_A_SECOND, callback(name)));
    }

    private boolean thaw(ReplicaFixture replica, long which) {
        boolean[] lasted = new boolean[1];
        replica.manual.run(() -> lasted[0] = replica.group.thaw(which));
        return lasted[0];
    }

    @Test
    void proposalsWaitForTheThawAndReadsDoNot() {
        try (ReplicaFixture replica = alone()) {
            replica.elect();
            freeze(replica, "f");
            assertThat(told).containsExactly("f frozen at 1 in 1");
            replica.manual.run(() -> replica.propose("a"));
            replica.manual.run(() -> replica.group.read(replica.outcomes.read("r")));
            replica.manual.runUntil(() -> replica.outcomes.told().contains("r ready"));
            replica.manual.advance(Duration.ofMillis(490));
            assertThat(replica.outcomes.told()).containsExactly("r ready");
            assertThat(replica.group.status().lastIndex()).isEqualTo(1);

            assertThat(thaw(replica, token)).isTrue();
            replica.manual.runUntil(() -> replica.outcomes.told().size() == 2);
            assertThat(replica.outcomes.told()).contains("a applied result of a at 2");
            assertThat(told).hasSize(1);
        }
    }

    @Test
    void itIsFrozenOnlyWhenAllThatIsInTheLogIsApplied() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            replica.manual.run(() -> replica.propose("a"));
            replica.awaitSent("n2", AppendRequest.class);
            freeze(replica, "f");
            replica.manual.run(() -> replica.propose("b"));
            replica.manual.advance(Duration.ofMillis(100));
            assertThat(told).isEmpty();
            replica.acknowledge("n2");
            replica.manual.runUntil(() -> !told.isEmpty());
            assertThat(told).containsExactly("f frozen at 2 in 1");
            assertThat(replica.applied).containsExactly("a");
        }
    }

    @Test
    void itEndsByItselfWhenItsTimeIsUp() {
        try (ReplicaFixture replica = alone()) {
            replica.elect();
            freeze(replica, "f");
            replica.manual.run(() -> replica.propose("a"));
            replica.manual.advance(Duration.ofMillis(520));
            replica.manual.runUntil(() -> !replica.outcomes.told().isEmpty());
            assertThat(told).containsExactly("f frozen at 1 in 1", "f broken: its time is up");
            assertThat(thaw(replica, token)).isFalse();
        }
    }

    @Test
    void itEndsByItselfWhenTheLogDoesNotComeToRest() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            replica.manual.run(() -> replica.propose("a"));
            freeze(replica, "f");
            replica.manual.advance(Duration.ofMillis(520));
            assertThat(told).containsExactly("f broken: the log did not come to rest in time");
        }
    }

    @Test
    void aThawThatComesTooLateSaysSo() {
        try (ReplicaFixture replica = alone()) {
            replica.elect();
            freeze(replica, "f");
            long first = token;
            replica.manual.advance(Duration.ofMillis(520));
            freeze(replica, "g");
            assertThat(thaw(replica, first)).isFalse();
            assertThat(thaw(replica, token)).isTrue();
            assertThat(told).containsExactly("f frozen at 1 in 1", "f broken: its time is up", "g frozen at 1 in 1");
        }
    }

    @Test
    void itEndsWithTheLeadership() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            freeze(replica, "f");
            replica.manual.run(() -> replica.propose("a"));
            long last = replica.group.status().lastIndex();
            replica.receive(
                    "n2",
                    append(
                            replica.group.status().term() + 1,
                            last,
                            replica.group.status().term(),
                            last));
            replica.manual.runUntil(() -> replica.group.status().role() == Role.FOLLOWER);
            replica.manual.runUntil(() -> !replica.outcomes.told().isEmpty());
            assertThat(told).containsExactly("f frozen at 1 in 1", "f broken: the leadership changed");
            assertThat(replica.outcomes.told()).containsExactly("a not proposed NOT_LEADER n2");
            assertThat(thaw(replica, token)).isFalse();
        }
    }

    @Test
    void onlyALeaderFreezesAndForOneAtATime() {
        try (ReplicaFixture replica = three()) {
            freeze(replica, "follower");
            replica.elect();
            freeze(replica, "f");
            freeze(replica, "g");
            assertThat(told)
                    .containsExactly(
                            "follower broken: the replica does not lead",
                            "f frozen at 1 in 1",
                            "g broken: the group is frozen already");
            assertThat(thaw(replica, token)).isTrue();
        }
    }

    @Test
    void itEndsWithTheReplica() {
        try (ReplicaFixture replica = alone()) {
            replica.elect();
            freeze(replica, "f");
            replica.manual.run(() -> replica.propose("a"));
            replica.manual.run(replica.group::close);
            assertThat(told).containsExactly("f frozen at 1 in 1", "f broken: the replica serves no more");
            assertThat(replica.outcomes.told()).containsExactly("a not proposed FAILED null");
            freeze(replica, "g");
            assertThat(told).last().isEqualTo("g broken: the replica serves no more");
        }
    }
}
