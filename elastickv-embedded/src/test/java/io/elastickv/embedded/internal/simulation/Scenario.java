package io.elastickv.embedded.internal.simulation;

import static io.elastickv.embedded.internal.simulation.VirtualTime.MICRO;
import static io.elastickv.embedded.internal.simulation.VirtualTime.MILLI;
import static io.elastickv.embedded.internal.simulation.VirtualTime.SECOND;

import io.elastickv.embedded.internal.node.CheckpointPolicy;
import io.elastickv.embedded.internal.raft.core.RaftConfig;
import io.elastickv.embedded.internal.shard.SessionLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * What a seed stands for: the size of the cluster, its settings, its clients, and the faults. Each scenario leaves out some
 * kinds of faults altogether, so that the others get to meet (Groce et al., "Swarm Testing", ISSTA 2012).
 */
final class Scenario {

    final long seed;
    final int nodes;
    final int groups;
    final int replicas;
    final int clients;
    final int lanesPerClient;
    final long thinkNanos;
    final long electionNanos;
    final long faultyNanos;
    final boolean shortWrites;

    /** Whether nothing is synced but terms and votes. */
    final boolean memory;

    final int segmentBytes;
    final SessionLimits sessionLimits;
    final CheckpointPolicy checkpoints;
    final long maxDelayNanos;
    final long maxSyncNanos;
    final int maxTtlMillis;
    final List<Fault> faults;

    private final boolean oneByOne;
    private final boolean longOutages;
    private final SplittableRandom tuning;

    Scenario(long seed) {
        this(seed, Mutation.NONE);
    }

    Scenario(long seed, Mutation mutation) {
        Set<Fault.Kind> only = mutation.faults();
        this.seed = seed;
        SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L);
        int[] sizes = {1, 2, 3, 3, 3, 3, 3, 3, 3, 4, 5, 5};
        nodes = sizes[random.nextInt(sizes.length)];
        groups = 2 + random.nextInt(Keys.MAX_GROUPS - 1);
        replicas = nodes > 3 && random.nextInt(3) > 0 ? 3 : nodes;
        clients = 2 + random.nextInt(3);
        lanesPerClient = 1 + random.nextInt(3);
        thinkNanos = (random.nextInt(4) == 0 ? 40 : 250) * MILLI;
        electionNanos = (random.nextInt(4) == 0 ? 300 : 1_000) * MILLI;
        faultyNanos = (thinkNanos < 100 * MILLI ? 12 : 25) * electionNanos;
        shortWrites = random.nextInt(4) == 0;
        segmentBytes = (16 << random.nextInt(3)) << 10;
        sessionLimits = random.nextInt(4) == 0
                ? new SessionLimits(2 + random.nextInt(4), 2_000 + random.nextInt(4_000), 8, 200)
                : SessionLimits.DEFAULTS;
        checkpoints = new CheckpointPolicy(
                random.nextInt(3) == 0 ? 1 << 20 : 1_000 + random.nextInt(random.nextBoolean() ? 2_000 : 12_000),
                random.nextDouble(),
                (random.nextInt(3) == 0 ? 64 : 256) << 10,
                2);
        maxDelayNanos = (random.nextInt(3) == 0 ? 20 : 2) * MILLI;
        maxSyncNanos = (random.nextInt(3) == 0 ? 20_000 : 1_000) * MICRO;
        maxTtlMillis = 200 + random.nextInt(4_000);
        oneByOne = random.nextInt(4) == 0;
        memory = replicas > 2 && (random.nextInt(6) == 0 || mutation.needsMemoryMode());
        longOutages = random.nextInt(3) == 0;
        tuning = random.split();
        faults = drawFaults(only, random);
    }

    private List<Fault> drawFaults(Set<Fault.Kind> only, SplittableRandom random) {
        List<Fault.Kind> kinds = new ArrayList<>(only);
        for (Fault.Kind kind : Fault.Kind.values()) {
            if (random.nextBoolean() && only.isEmpty()) {
                kinds.add(kind);
            }
        }
        List<Fault> drawn = new ArrayList<>();
        int count = kinds.isEmpty() ? 0 : 2 + random.nextInt(random.nextInt(3) == 0 ? 60 : 24);
        boolean bursts = random.nextBoolean();
        long at = 0;
        for (int i = 0; i < count; i++) {
            at += random.nextLong(bursts && random.nextInt(3) > 0 ? electionNanos / 20 : 3 * faultyNanos / count);
            if (at >= faultyNanos) {
                break;
            }
            Fault.Kind kind = kinds.get(random.nextInt(kinds.size()));
            drawn.add(Fault.draw(i, kind, at, nodes, longOutages ? 4 * electionNanos : electionNanos, random));
        }
        return drawn;
    }

    /** The settings of one replica; small windows and caches, so that their edges are met. */
    RaftConfig raftConfig(String self) {
        return new RaftConfig(
                self,
                electionNanos,
                electionNanos / 10,
                oneByOne ? 1 : 1 + tuning.nextInt(16),
                64 + tuning.nextInt(2_000),
                oneByOne ? 1 : 1 + tuning.nextInt(8),
                64 + tuning.nextInt(8_000),
                16 + tuning.nextInt(64),
                2_000 + tuning.nextInt(20_000),
                1 + tuning.nextInt(4_000),
                null);
    }

    @Override
    public String toString() {
        return nodes + " nodes, " + groups + " groups of " + replicas + ", " + clients + " clients with "
                + lanesPerClient + " lanes, "
                + faultyNanos / SECOND + " s with " + faults.size() + " faults, election timeout "
                + electionNanos / MILLI
                + " ms" + (memory ? ", without fsync" : "");
    }
}
