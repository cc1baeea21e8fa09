package io.elastickv.embedded.internal.node;

import static io.elastickv.embedded.internal.node.SplitCluster.PATIENCE;
import static io.elastickv.embedded.internal.node.SplitCluster.assertCounts;
import static io.elastickv.embedded.internal.node.SplitCluster.deadline;
import static io.elastickv.embedded.internal.node.SplitCluster.leader;
import static io.elastickv.embedded.internal.node.SplitCluster.nodes;
import static io.elastickv.embedded.internal.node.SplitCluster.split;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.Bytes;
import io.elastickv.api.SlotRange;
import io.elastickv.embedded.LocalCluster;
import io.elastickv.embedded.internal.node.OwnershipProtocol.Absorb;
import io.elastickv.embedded.internal.node.OwnershipProtocol.Give;
import io.elastickv.embedded.internal.node.OwnershipProtocol.Owned;
import io.elastickv.embedded.internal.node.ReplicaProtocol.Changed;
import io.elastickv.embedded.internal.node.ReplicaProtocol.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Slots that move from a shard to its left neighbour on real nodes, under load and over crashes. */
final class MergeIT {

    /** Asks until it is done. */
    private static void until(String what, Supplier<Changed> step) {
        Awaitility.await(what)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> {
                    Changed changed = step.get();
                    assertThat(changed == null ? State.UNDER_WAY : changed.state())
                            .as("%s: %s", what, changed)
                            .isNotEqualTo(State.IMPOSSIBLE);
                    return changed != null && changed.state() == State.DONE;
                });
    }

    private static Owned owned(LocalCluster cluster, int shard) {
        return Awaitility.await("what shard " + shard + " owns")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .until(
                        () -> {
                            EmbeddedNode leader = leader(cluster, shard);
                            return leader.control().ownership(leader.name(), shard, deadline());
                        },
                        found -> found != null);
    }

    private static void give(LocalCluster cluster, int right, int left, long epoch, int last) {
        Owned before = owned(cluster, right);
        int first = before.slots().get(0).first();
        until("slots are given", () -> {
            EmbeddedNode leader = leader(cluster, right);
            return leader.control()
                    .give(leader.name(), new Give(right, before.epoch(), epoch, first, last, left), deadline());
        });
    }

    private static void absorb(LocalCluster cluster, int right, int left) {
        Owned gave = owned(cluster, right);
        until("slots are taken in", () -> {
            EmbeddedNode from = leader(cluster, right);
            Absorb request = new Absorb(
                    right,
                    left,
                    gave.given().epoch(),
                    gave.given().slots().first(),
                    gave.given().slots().last(),
                    leader(cluster, left).name());
            return from.control().absorb(from.name(), request, deadline());
        });
    }

    private static void drop(LocalCluster cluster, int right, long epoch) {
        until("slots are deleted", () -> {
            EmbeddedNode leader = leader(cluster, right);
            return leader.control().drop(leader.name(), right, epoch, deadline());
        });
    }

    private static void remove(LocalCluster cluster, int shard) {
        for (EmbeddedNode node : nodes(cluster)) {
            until("no replica on " + node.name(), () -> node.control().removeShard(node.name(), shard, deadline()));
            assertThat(node.hosts()).doesNotContainKey(shard);
        }
    }

    private static void crashAll(LocalCluster cluster) {
        for (int i = 0; i < cluster.size(); i++) {
            cluster.crash(i);
        }
        for (int i = 0; i < cluster.size(); i++) {
            cluster.restart(i);
        }
    }

    @Test
    void aShardGoesOverToItsNeighbourPieceByPieceUnderLoad() {
        try (LocalCluster cluster = LocalCluster.builder().nodes(4).shards(2).startAndAwaitReady();
                SplitLoad load = new SplitLoad(() -> nodes(cluster), 6)) {
            load.awaitProgress(300);
            long epoch = 1;
            for (int last : List.of(9000, 12000, 16383)) {
                EmbeddedNode leader = leader(cluster, 1);
                int first = owned(cluster, 1).slots().get(0).first();
                until("it is measured", () -> leader.control().measure(leader.name(), 1, first, deadline()));
                give(cluster, 1, 0, ++epoch, last);
                absorb(cluster, 1, 0);
                load.awaitProgress(100);
                drop(cluster, 1, epoch);
                load.awaitProgress(100);
            }
            assertThat(owned(cluster, 0)).isEqualTo(new Owned(epoch, List.of(new SlotRange(0, 16383)), null));
            assertThat(owned(cluster, 1).slots()).isEmpty();
            remove(cluster, 1);
            load.awaitProgress(100);
            Map<String, AtomicLong> counts = load.stop();
            assertOwnersCount(cluster, counts);
            crashAll(cluster);
            assertOwnersCount(cluster, counts);
            assertThat(nodes(cluster))
                    .allSatisfy(node -> assertThat(node.hosts()).doesNotContainKey(1));
        }
    }

    @Test
    void allNodesCrashBetweenTheSteps() {
        try (LocalCluster cluster = LocalCluster.builder().shards(1).startAndAwaitReady()) {
            SplitLoad load = new SplitLoad(() -> nodes(cluster), 4);
            load.awaitProgress(200);
            split(cluster, 0, 1, 8192, 1);
            load.awaitProgress(200);
            Map<String, AtomicLong> counts = load.stop();
            give(cluster, 1, 0, 3, 11000);
            crashAll(cluster);
            absorb(cluster, 1, 0);
            crashAll(cluster);
            assertOwnersCount(cluster, counts);
            for (EmbeddedNode node : nodes(cluster)) {
                // With what was given away in it, and with versions that are ahead of the log.
                awaitCheckpoint(node, 0);
                awaitCheckpoint(node, 1);
            }
            crashAll(cluster);
            assertThat(owned(cluster, 1).given()).isNotNull();
            drop(cluster, 1, 3);
            give(cluster, 1, 0, 4, 16383);
            for (EmbeddedNode node : nodes(cluster)) {
                awaitCheckpoint(node, 1);
            }
            crashAll(cluster);
            absorb(cluster, 1, 0);
            drop(cluster, 1, 4);
            crashAll(cluster);
            leader(cluster, 1);
            remove(cluster, 1);
            assertCounts(cluster, counts);
            // And it can be split again.
            split(cluster, 0, 4, 10000, 2);
            assertCounts(cluster, counts);
        }
    }

    /** Through the store of any node, which finds the owner by itself. */
    @Test
    void callersGoOnWhileSlotsMove() throws InterruptedException {
        try (LocalCluster cluster = LocalCluster.builder().nodes(4).shards(2).startAndAwaitReady()) {
            AtomicLong done = new AtomicLong();
            AtomicBoolean stop = new AtomicBoolean();
            AtomicReference<Throwable> failure = new AtomicReference<>();
            List<Thread> callers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                int number = i;
                Thread caller = new Thread(() -> {
                    try {
                        for (int n = number; !stop.get(); n += 4) {
                            cluster.store(number).increment(Bytes.utf8("key-" + n % 100), 1);
                            done.incrementAndGet();
                        }
                    } catch (Throwable e) {
                        failure.compareAndSet(null, e);
                    }
                });
                callers.add(caller);
                caller.start();
            }
            awaitMore(done, failure);
            give(cluster, 1, 0, 2, 12000);
            absorb(cluster, 1, 0);
            drop(cluster, 1, 2);
            awaitMore(done, failure);
            give(cluster, 1, 0, 3, 16383);
            absorb(cluster, 1, 0);
            awaitMore(done, failure);
            remove(cluster, 1);
            awaitMore(done, failure);
            stop.set(true);
            for (Thread caller : callers) {
                caller.join(10_000);
            }
            assertThat(failure.get()).isNull();
            long sum = 0;
            for (int n = 0; n < 100; n++) {
                sum += cluster.store(1)
                        .get(Bytes.utf8("key-" + n))
                        .map(value -> Long.parseLong(value.value().toUtf8()))
                        .orElse(0L);
            }
            assertThat(sum).isEqualTo(done.get());
        }
    }

    private static void awaitMore(AtomicLong done, AtomicReference<Throwable> failure) {
        long goal = done.get() + 100;
        Awaitility.await("callers get on")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> done.get() >= goal || failure.get() != null);
        assertThat(failure.get()).isNull();
    }

    private static void awaitCheckpoint(EmbeddedNode node, int shard) {
        Awaitility.await("a checkpoint of shard " + shard + " on " + node.name())
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> {
                    var status = node.hosts().get(shard).group().status();
                    node.checkpoints().require(shard);
                    return !status.checkpoints().isEmpty()
                            && status.checkpoints().get(0).index() == status.appliedIndex()
                            && status.leader() != null
                            && status.appliedIndex() == status.lastIndex();
                });
    }

    /** The leader of the owner of each key has counted it so often; not every node has a replica of each shard. */
    private static void assertOwnersCount(LocalCluster cluster, Map<String, AtomicLong> counts) {
        Awaitility.await("the counters")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(10))
                .untilAsserted(() ->
                        counts.forEach((key, count) -> assertThat(SplitCluster.countAtOwner(nodes(cluster), key))
                                .as(key)
                                .isEqualTo(count.get())));
    }
}
