package io.elastickv.embedded.internal.raft.core;

import io.elastickv.embedded.internal.raft.core.SimCluster.Profile;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** The trouble in a {@link SimCluster}. */
final class SimFaults {

    private static final long MILLI = SimCluster.MILLI;

    private final SimCluster c;
    private final SplittableRandom random;
    private final Profile profile;
    private final int checkpointPercent;
    private final boolean checkpointsWhenQuiet;
    private final boolean disksForget;

    private @Nullable SimNode firstRival;
    private long rivalsUntilNanos;

    int wiped;
    int memoriesLost;
    int statesLost;

    SimFaults(SimCluster cluster) {
        c = cluster;
        random = c.random;
        profile = c.profile;
        int[] percents = {0, 2, 10, 30};
        checkpointPercent = profile == Profile.SNAPSHOTS ? 30 : percents[random.nextInt(percents.length)];
        checkpointsWhenQuiet = random.nextBoolean();
        disksForget = profile == Profile.SNAPSHOTS || random.nextInt(profile == Profile.MEMBERSHIP ? 2 : 3) == 0;
    }

    void begin() {
        c.after(random.nextLong(100 * MILLI), this::trouble);
    }

    private SimNode any() {
        return c.nodes.get(random.nextInt(c.nodes.size()));
    }

    private void trouble() {
        if (!c.faulty) {
            return;
        }
        c.after(random.nextLong((profile == Profile.LEADERS_DIE_YOUNG ? 300 : 60) * MILLI), this::trouble);
        if (profile == Profile.CONTESTED_ELECTIONS && random.nextBoolean()) {
            contest();
            return;
        }
        if (profile == Profile.MEMBERSHIP && random.nextInt(3) == 0) {
            rivals();
            return;
        }
        if (profile == Profile.ECHOES && random.nextBoolean()) {
            c.duplicateRate = 0.5;
            c.maxDelayNanos = (1 + random.nextInt(20)) * MILLI;
            c.nodes.stream()
                    .filter(n -> n.up() && n.core().role() == Role.LEADER)
                    .findAny()
                    .ifPresent(n -> isolate(n.place, true));
            c.after(random.nextLong(120 * MILLI), c::reconnect);
            return;
        }
        SimNode node = any();
        switch (random.nextInt(disksForget ? 17 : 14)) {
            case 0, 1 -> crash(node, 200 * MILLI);
            case 2 -> c.nodes.forEach(each -> crash(each, 50 * MILLI)); // a power cut
            case 3 -> {
                if (node.running()) {
                    node.paused = true;
                    c.pausedRecentlyNanos = 400 * MILLI;
                    c.after(random.nextLong(300 * MILLI), () -> c.resume(node));
                }
            }
            case 4 -> twoHalves();
            case 5 -> { // one member alone, the leader if there is one
                int alone = node.place;
                for (SimNode each : c.nodes) {
                    if (each.up() && each.core().role() == Role.LEADER) {
                        alone = each.place;
                    }
                }
                isolate(alone, random.nextBoolean());
            }
            case 6 -> c.cut[random.nextInt(c.nodes.size())][random.nextInt(c.nodes.size())] = true;
            case 7, 8 -> c.reconnect();
            case 9 -> {
                c.dropRate = random.nextInt(3) == 0 ? random.nextDouble() * 0.3 : 0;
                c.duplicateRate = random.nextInt(3) == 0 ? random.nextDouble() * 0.3 : 0;
                c.maxDelayNanos = (random.nextInt(4) == 0 ? 60 : 1 + random.nextInt(5)) * MILLI;
            }
            case 10 -> c.maxFsyncNanos = (random.nextInt(4) == 0 ? 80 : 1 + random.nextInt(4)) * MILLI;
            case 11 -> {
                for (SimNode each : c.nodes) {
                    if (each.leads() && each.core().configuration().isVoter(node.name)) {
                        each.core().transferLeadership(node.name);
                        each.drainSometimes();
                    }
                }
            }
            case 12 -> contest();
            case 13 -> {
                if (node.running()) {
                    node.core().peerReachable(any().name, random.nextBoolean());
                    node.drainSometimes();
                }
            }
            case 14 -> wipe(node);
            default -> loseMemory(node);
        }
    }

    // ---------------------------------------------------------------------------------------------- processes

    private void crash(SimNode node, long downNanos) {
        if (node.up()) {
            c.resume(node);
            node.crash();
            c.after(random.nextLong(downNanos), () -> restart(node));
        }
    }

    private void restart(SimNode node) {
        if (!node.up()) {
            node.start();
        }
    }

    private void crashBriefly(SimNode node) {
        if (c.faulty) {
            crash(node, MILLI);
        }
    }

    private void campaign(SimNode node) {
        if (node.running()) {
            node.core().tick(c.nowNanos, c.wallMillis());
            node.core().campaign();
            node.drainSometimes();
        }
    }

    // ---------------------------------------------------------------------------------------------- disks

    private boolean mayImpair(SimNode node) {
        return !c.isGone(node.name) && c.survive(c.oracle.possible(), node.name);
    }

    private boolean wipe(SimNode node) {
        // Without an administrator nobody would ever take the new member in.
        if (!c.admin.active() || node.disk.memoryLost || !mayImpair(node)) {
            return false;
        }
        c.resume(node);
        node.wipe();
        wiped++;
        c.after(random.nextLong(30 * MILLI), () -> restart(node));
        return true;
    }

    /** One more, when all is well again; whether it was possible. */
    boolean lastWipe() {
        List<String> voters = c.oracle.committedConfiguration().voters();
        SimNode node = c.successor(voters.get(random.nextInt(voters.size())));
        if (!disksForget || node.core().role() == Role.LEADER || !wipe(node)) {
            return false;
        }
        restart(node);
        return true;
    }

    /** A machine without fsync goes down. */
    private void loseMemory(SimNode node) {
        if (!node.up() || node.disk.memoryLost || !mayImpair(node)) {
            return;
        }
        c.resume(node);
        node.crash();
        long kept =
                node.disk.log.baseIndex() + random.nextLong(node.disk.log.lastIndex() - node.disk.log.baseIndex() + 1);
        node.disk.loseMemory(random.nextBoolean() ? kept : Math.max(kept, node.disk.log.lastIndex() - 5));
        memoriesLost++;
        c.after(random.nextLong(60 * MILLI), () -> restart(node));
    }

    /** Whether the newest checkpoint turns out to be unreadable. */
    boolean damagesCheckpoint(SimNode node, boolean losesState) {
        if (!c.faulty || !disksForget || random.nextInt(6) != 0 || (losesState && !mayImpair(node))) {
            return false;
        }
        if (losesState) {
            statesLost++;
        }
        return true;
    }

    void maybeCheckpoint(SimNode node) {
        if ((c.faulty || checkpointsWhenQuiet) && random.nextInt(100) < checkpointPercent) {
            node.checkpoint();
        }
    }

    // ---------------------------------------------------------------------------------------------- network

    private void twoHalves() {
        c.reconnect();
        boolean[] side = new boolean[c.nodes.size()];
        for (int i = 0; i < side.length; i++) {
            side[i] = random.nextBoolean();
        }
        for (int i = 0; i < side.length; i++) {
            for (int j = 0; j < side.length; j++) {
                c.cut[i][j] = side[i] != side[j];
            }
        }
    }

    /** Cuts a member off; where the failure detectors work, the others are told. */
    private void isolate(int alone, boolean detected) {
        for (int i = 0; i < c.nodes.size(); i++) {
            c.cut[i][alone] = true;
            c.cut[alone][i] = true;
            SimNode node = c.nodes.get(i);
            if (detected && i != alone && node.running()) {
                node.core().peerReachable(c.nodes.get(alone).name, false);
                node.drainSometimes();
            }
        }
    }

    // ---------------------------------------------------------------------------------------------- stories

    /** The leader is restarted, everybody campaigns almost together, and some crash and come back right after. */
    private void contest() {
        for (SimNode node : c.nodes) {
            if (!node.up()) {
                continue;
            }
            if (node.core().role() == Role.LEADER) {
                crashBriefly(node);
                for (SimNode other : c.nodes) {
                    if (other.running()) {
                        other.core().peerReachable(node.name, false);
                        other.drainSometimes();
                    }
                }
            }
            c.after(random.nextLong(3 * MILLI), () -> campaign(node));
            if (random.nextBoolean()) {
                c.after(MILLI + random.nextLong(8 * MILLI), () -> crashBriefly(node));
            }
        }
    }

    /** A node has just won an election. */
    void elected(SimNode node) {
        SimNode first = firstRival;
        if (c.faulty && first != null && first != node && c.nowNanos < rivalsUntilNanos) {
            secondRival(node, first);
        } else if (profile == Profile.MEMBERSHIP && random.nextBoolean()) {
            c.after(random.nextLong(3 * MILLI), () -> c.admin.actOn(node));
        }
        if (!c.faulty || profile != Profile.LEADERS_DIE_YOUNG) {
            return;
        }
        long[] lives = {2 * MILLI, 2 * MILLI, 8 * MILLI, 8 * MILLI, 100 * MILLI};
        c.after(random.nextLong(lives[random.nextInt(lives.length)]), () -> {
            if (c.faulty && node.up()) {
                takeAway(node);
                for (int i = 0; i < 2; i++) {
                    SimNode next = any();
                    c.after(random.nextLong(30 * MILLI), () -> campaign(next));
                }
            }
        });
    }

    /** A leader has just proposed another configuration; it may not live to see it committed. */
    void membersChanged(SimNode leader) {
        if (profile != Profile.MEMBERSHIP || random.nextInt(3) == 0) {
            return;
        }
        boolean away = random.nextBoolean();
        c.after(random.nextLong(3 * MILLI), () -> {
            if (!c.faulty || !leader.up()) {
                return;
            }
            if (away) {
                takeAway(leader);
            } else {
                twoHalves();
                c.after(random.nextLong(200 * MILLI), c::reconnect);
            }
            SimNode next = any();
            c.after(random.nextLong(30 * MILLI), () -> campaign(next));
        });
    }

    /**
     * Two leaders, each with its own next configuration: the first is cut off and changes the members, alone with it; the
     * next leader changes them as soon as it is elected, and can reach all but one, which in turn only the first can reach.
     */
    private void rivals() {
        for (SimNode node : c.nodes) {
            if (node.leads()) {
                c.reconnect();
                isolate(node.place, true);
                firstRival = node;
                rivalsUntilNanos = c.nowNanos + 300 * MILLI;
                c.admin.actOn(node);
                c.after(100 * MILLI + random.nextLong(300 * MILLI), c::reconnect);
                return;
            }
        }
    }

    private void secondRival(SimNode second, SimNode first) {
        firstRival = null;
        SimNode witness = any();
        if (witness == second) {
            return;
        }
        c.reconnect();
        for (SimNode node : c.nodes) {
            for (SimNode apart : List.of(first, witness)) {
                if (node != first && node != witness) {
                    cutOff(node, apart);
                    cutOff(apart, node);
                }
            }
        }
        c.after(1 + random.nextLong(MILLI), () -> c.admin.remove(second, first.name));
        c.after(random.nextLong(60 * MILLI), () -> campaign(first));
        c.after(random.nextLong(60 * MILLI), () -> campaign(first));
    }

    private void cutOff(SimNode from, SimNode to) {
        c.cut[from.place][to.place] = true;
        // Not at once: who has just been elected is not in the state to be told.
        c.after(1, () -> {
            if (from.running()) {
                from.core().peerReachable(to.name, false);
                from.drainSometimes();
            }
        });
    }

    /** Either way the others hear of it, so that the next election comes soon. */
    private void takeAway(SimNode leader) {
        isolate(leader.place, true);
        if (random.nextBoolean()) {
            c.after(random.nextLong(60 * MILLI), c::reconnect);
        } else {
            crash(leader, 60 * MILLI);
            c.reconnect();
        }
    }
}
