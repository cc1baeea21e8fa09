package io.elastickv.embedded;

import io.elastickv.api.ClusterView;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.ShardInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Splits, merges and moves shards at random, one after the other, until it is closed. What fails because of other faults is
 * given up; what becomes of it is the cluster's concern.
 */
final class PlacementNemesis implements AutoCloseable {

    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final int MOST_SHARDS = 12;

    private final ClusterView view;
    private final SplittableRandom random;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Thread thread = new Thread(this::run, "placement-nemesis");
    private final AtomicInteger splits = new AtomicInteger();
    private final AtomicInteger merges = new AtomicInteger();
    private final AtomicInteger moves = new AtomicInteger();
    private final AtomicInteger transfers = new AtomicInteger();
    private final AtomicInteger givenUp = new AtomicInteger();

    /** Begins. */
    PlacementNemesis(ClusterView view, long seed) {
        this.view = view;
        this.random = new SplittableRandom(seed);
        thread.start();
    }

    private void run() {
        while (!closed.get()) {
            LockSupport.parkNanos(random.nextInt(10, 400) * 1_000_000L);
            try {
                act();
            } catch (ElastickvException e) {
                givenUp.incrementAndGet();
            }
        }
    }

    private void act() {
        List<ShardInfo> shards = view.shards();
        int at = random.nextInt(shards.size());
        ShardInfo shard = shards.get(at);
        int first = shard.slots().get(0).first();
        int size = shard.slots().get(0).size();
        switch (random.nextInt(4)) {
            case 0 -> {
                if (size > 1 && shards.size() < MOST_SHARDS) {
                    view.splitShard(shard.id(), first + 1 + random.nextInt(size - 1), TIMEOUT);
                    splits.incrementAndGet();
                }
            }
            case 1 -> {
                if (at + 1 < shards.size()) {
                    view.mergeShards(shard.id(), TIMEOUT);
                    merges.incrementAndGet();
                }
            }
            case 2 -> {
                List<String> free = new ArrayList<>(view.nodes().stream()
                        .filter(node -> node.member() && !shard.replicas().contains(node.name()))
                        .map(node -> node.name())
                        .toList());
                if (!free.isEmpty()) {
                    view.moveReplica(
                            shard.id(),
                            shard.replicas().get(random.nextInt(shard.replicas().size())),
                            free.get(random.nextInt(free.size())),
                            TIMEOUT);
                    moves.incrementAndGet();
                }
            }
            default -> {
                view.transferLeadership(
                        shard.id(),
                        shard.replicas().get(random.nextInt(shard.replicas().size())),
                        TIMEOUT);
                transfers.incrementAndGet();
            }
        }
    }

    /** Ends; waits for the operation that is under way. */
    @Override
    public void close() {
        closed.set(true);
        LockSupport.unpark(thread);
        try {
            thread.join(30_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public String toString() {
        return splits + " splits, " + merges + " merges, " + moves + " moves, " + transfers + " transfers, " + givenUp
                + " given up";
    }
}
