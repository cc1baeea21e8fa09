package io.elastickv.embedded.internal.node;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.elastickv.embedded.internal.node.TransferFixture.End;
import io.elastickv.embedded.internal.node.TransferFixture.Node;
import io.elastickv.embedded.internal.storage.CheckpointDamagedException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** States on their way from one node to another, over calls that fail when the test says so. */
class SnapshotTransferTest {

    private static final Logger LOGGER = (Logger) LoggerFactory.getLogger("io.elastickv.embedded.internal.node");
    private static final long SECOND = 1_000_000_000L;

    private final TransferFixture fixture = new TransferFixture();

    @BeforeEach
    void silence() {
        LOGGER.setLevel(Level.OFF);
    }

    @AfterEach
    void close() {
        LOGGER.setLevel(null);
        fixture.close();
    }

    private static void assertSame(Node one, Node other, int keys) {
        for (int i = 0; i < keys; i++) {
            assertThat(other.get("key-" + i))
                    .as("key-%d", i)
                    .isEqualTo(one.get("key-" + i))
                    .isNotEmpty();
        }
    }

    @Test
    void aStateArrivesWholeAndIsACheckpointOfItsOwn() {
        Node leader = fixture.node("leader");
        Node follower = fixture.node("follower");
        leader.fill(300, 1);
        leader.checkpoint();
        End end = new End();
        follower.checkpoints.fetch("leader", 10, end);
        fixture.run(SECOND);
        assertThat(end.failure).isNull();
        assertThat(end.incoming.snapshot().index()).isEqualTo(300);
        assertThat(end.incoming.configuration()).isEqualTo(TransferFixture.MEMBERS);
        assertThat(follower.machine.appliedIndex()).as("not installed yet").isZero();
        assertThat(follower.directory.manifests()).hasSize(1);
        end.incoming.install();
        end.incoming.close();
        fixture.run(SECOND);
        assertThat(follower.machine.appliedIndex()).isEqualTo(300);
        assertSame(leader, follower, 300);
        assertThat(follower.figures.counts().installed()).isEqualTo(1);
        assertThat(leader.figures.counts().served()).isEqualTo(1);
        assertThat(leader.figures.counts().servedBytes()).isGreaterThan(3_000_000);
    }

    @Test
    void whoHasNoCheckpointThatGoesFarEnoughMakesOne() {
        Node leader = fixture.node("leader");
        Node follower = fixture.node("follower");
        leader.fill(10, 1);
        leader.checkpoint();
        leader.put("key-10", new byte[] {1});
        End end = new End();
        follower.checkpoints.fetch("leader", 11, end);
        fixture.run(SECOND);
        assertThat(leader.wanted).isNotEmpty().containsOnly(TransferFixture.GROUP);
        assertThat(end.incoming).isNull();
        leader.checkpoint();
        fixture.run(SECOND);
        assertThat(end.incoming.snapshot().index()).isEqualTo(11);
        end.incoming.close();
    }

    @Test
    void aLostConnectionOnlyInterruptsIt() {
        Node leader = fixture.node("leader");
        Node follower = fixture.node("follower");
        leader.fill(500, 2);
        leader.checkpoint();
        int[] reads = {0};
        fixture.onRead = () -> {
            if (++reads[0] % 7 == 0) {
                fixture.unreachable.add("leader");
            }
        };
        End end = new End();
        follower.checkpoints.fetch("leader", 1, end);
        for (int i = 0; i < 100 && end.incoming == null; i++) {
            fixture.run(SECOND);
            fixture.unreachable.clear();
        }
        assertThat(end.failure).isNull();
        end.incoming.install();
        assertSame(leader, follower, 500);
        assertThat(leader.figures.counts().served())
                .as("it went on with the same")
                .isEqualTo(1);
        assertThat(leader.figures.counts().servedBytes())
                .as("hardly anything was sent twice")
                .isLessThan(2 * leader.directory.manifests().get(0).totalBytes());
    }

    @Test
    void itGoesOnWithTheOldLeaderAsLongAsThatAnswersAndWithTheNewOneThen() {
        Node old = fixture.node("old");
        Node next = fixture.node("next");
        Node follower = fixture.node("follower");
        old.fill(300, 3);
        old.checkpoint();
        next.fill(300, 3);
        next.checkpoint();
        End first = new End();
        End second = new End();
        follower.checkpoints.fetch("old", 1, first);
        int[] reads = {0};
        fixture.onRead = () -> {
            if (++reads[0] == 5) {
                follower.checkpoints.fetch("next", 2, second);
            }
            if (reads[0] == 9) {
                fixture.unreachable.add("old");
            }
        };
        fixture.run(5 * SECOND);
        assertThat(first.failure).hasMessageContaining("another leader");
        assertThat(second.failure).isNull();
        second.incoming.install();
        assertSame(next, follower, 300);
        assertThat(next.figures.counts().servedBytes()).isPositive();
        assertThat(old.figures.counts().servedBytes()).isPositive();
    }

    @Test
    void aStateThatIsTooOldForTheNewLeaderIsGivenUp() {
        Node old = fixture.node("old");
        Node next = fixture.node("next");
        Node follower = fixture.node("follower");
        old.fill(100, 3);
        old.checkpoint();
        next.fill(100, 3);
        next.put("key-100", new byte[] {1});
        next.checkpoint();
        End first = new End();
        End second = new End();
        follower.checkpoints.fetch("old", 1, first);
        int[] reads = {0};
        fixture.onRead = () -> {
            if (++reads[0] == 2) {
                follower.checkpoints.fetch("next", 101, second);
            }
        };
        fixture.run(5 * SECOND);
        assertThat(first.failure).isNotNull();
        assertThat(second.incoming.snapshot().index()).isEqualTo(101);
        second.incoming.close();
    }

    @Test
    void whoCannotBeReachedIsGivenUpAndLeavesNothingBehind() {
        Node leader = fixture.node("leader");
        Node follower = fixture.node("follower");
        leader.fill(300, 4);
        leader.checkpoint();
        int[] reads = {0};
        fixture.onRead = () -> {
            if (++reads[0] == 5) {
                fixture.unreachable.add("leader");
            }
        };
        End end = new End();
        follower.checkpoints.fetch("leader", 1, end);
        fixture.run(60 * SECOND);
        assertThat(end.incoming).isNull();
        assertThat(end.failure).hasMessageContaining("leader");
        assertThat(follower.files.files()).isEmpty();
        assertThat(follower.directory.manifests()).isEmpty();
    }

    @Test
    void aFullDiskFailsItAndLeavesNothingBehind() {
        Node leader = fixture.node("leader");
        Node follower = fixture.node("follower");
        leader.fill(300, 5);
        leader.checkpoint();
        follower.files.freeBytes(1_000_000);
        End end = new End();
        follower.checkpoints.fetch("leader", 1, end);
        fixture.run(60 * SECOND);
        assertThat(end.failure).isInstanceOf(IOException.class);
        assertThat(follower.files.files()).isEmpty();
        assertThat(follower.machine.appliedIndex()).isZero();
        follower.files.freeBytes(Long.MAX_VALUE);
        End again = new End();
        follower.checkpoints.fetch("leader", 1, again);
        fixture.run(60 * SECOND);
        assertThat(again.failure).isNull();
        again.incoming.close();
    }

    @Test
    void whatIsReadIsKeptAndTheLogAfterItUntilTheReaderHadTimeToCatchUp() {
        Node leader = fixture.node("leader");
        Node follower = fixture.node("follower");
        leader.fill(100, 6);
        leader.checkpoint();
        End end = new End();
        assertThat(leader.checkpoints.leasedIndex()).isEqualTo(Long.MAX_VALUE);
        int[] reads = {0};
        fixture.onRead = () -> {
            if (++reads[0] == 2) {
                for (int i = 0; i < 3; i++) {
                    leader.put("other", new byte[] {1});
                    leader.checkpoint();
                }
                assertThat(leader.checkpoints.leasedIndex()).isEqualTo(100);
            }
        };
        follower.checkpoints.fetch("leader", 1, end);
        fixture.run(SECOND);
        assertThat(end.incoming.snapshot().index()).isEqualTo(100);
        end.incoming.close();
        assertThat(leader.checkpoints.leasedIndex()).isEqualTo(100);
        fixture.nanos += 60 * SECOND;
        leader.server.expireLeases();
        assertThat(leader.checkpoints.leasedIndex()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void aReaderThatVanishesLosesItsLease() {
        Node leader = fixture.node("leader");
        Node follower = fixture.node("follower");
        leader.fill(300, 7);
        leader.checkpoint();
        End end = new End();
        follower.checkpoints.fetch("leader", 1, end);
        int[] reads = {0};
        fixture.onRead = () -> {
            if (++reads[0] == 3) {
                follower.checkpoints.cancelFetch();
            }
        };
        fixture.run(SECOND);
        assertThat(end.failure).isNotNull();
        assertThat(leader.checkpoints.leasedIndex()).isEqualTo(300);
        fixture.nanos += 31 * SECOND;
        leader.server.expireLeases();
        assertThat(leader.checkpoints.leasedIndex()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void itIsReadNoFasterThanAllowed() {
        Node leader = fixture.node("leader", 1_000_000);
        Node follower = fixture.node("follower");
        leader.fill(300, 8);
        leader.checkpoint();
        End end = new End();
        long start = fixture.nanos;
        follower.checkpoints.fetch("leader", 1, end);
        fixture.run(60 * SECOND);
        assertThat(end.incoming).isNotNull();
        assertThat((fixture.nanos - start) / 1e9)
                .as("seconds for 3 MB at 1 MB/s")
                .isBetween(2.0, 4.0);
        end.incoming.close();
    }

    @Test
    void aReplicaThatIsNotThereIsToldApart() {
        fixture.node("leader");
        Node follower = fixture.node("follower");
        for (String nobody : List.of("nobody", "leader")) {
            fixture.nodes.get("leader").wanted.clear();
            End end = new End();
            follower.checkpoints.fetch(nobody, 1, end);
            fixture.run(60 * SECOND);
            assertThat(end.failure).as(nobody).isNotNull();
        }
        assertThat(fixture.nodes.get("leader").wanted).isNotEmpty();
    }

    @Test
    void aCheckpointThatIsDamagedWhereItComesFromIsNotOfferedAgain() {
        Node leader = fixture.node("leader");
        Node follower = fixture.node("follower");
        leader.fill(50, 9);
        leader.checkpoint();
        Path file = leader.files.files().stream()
                .filter(one -> one.toString().endsWith(".bucket"))
                .findFirst()
                .orElseThrow();
        byte[] content = leader.files.content(file);
        content[content.length / 2] ^= 1;
        leader.files.put(file, content);
        End end = new End();
        follower.checkpoints.fetch("leader", 1, end);
        fixture.run(60 * SECOND);
        assertThat(end.failure).isInstanceOf(CheckpointDamagedException.class);
        assertThat(leader.wanted).isNotEmpty();
        assertThat(leader.directory.manifests()).isEmpty();
        leader.checkpoint();
        End again = new End();
        follower.checkpoints.fetch("leader", 1, again);
        fixture.run(60 * SECOND);
        assertThat(again.failure).isNull();
        again.incoming.install();
        assertSame(leader, follower, 50);
    }

    @Test
    void aReplicaThatIsClosedStopsFetching() {
        Node leader = fixture.node("leader");
        Node follower = fixture.node("follower");
        leader.fill(300, 10);
        leader.checkpoint();
        int[] reads = {0};
        fixture.onRead = () -> {
            if (++reads[0] == 3) {
                follower.checkpoints.close();
            }
        };
        End end = new End();
        follower.checkpoints.fetch("leader", 1, end);
        fixture.run(60 * SECOND);
        assertThat(end.failure).hasMessageContaining("closing");
    }
}
