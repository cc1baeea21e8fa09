package io.elastickv.embedded.internal.simulation;

import static io.elastickv.embedded.internal.simulation.VirtualTime.MILLI;

import io.elastickv.embedded.internal.simulation.SimulatedDisk.Unsynced;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Does the faults of a scenario, and undoes them. */
final class Trouble {

    private final Simulation simulation;
    private final VirtualTime time;
    private final Network network;

    Trouble(Simulation simulation) {
        this.simulation = simulation;
        this.time = simulation.time;
        this.network = simulation.network;
    }

    void plan() {
        for (Fault fault : simulation.scenario.faults) {
            if (simulation.happens(fault)) {
                time.at(fault.atNanos(), () -> {
                    if (!simulation.healed) {
                        happen(fault);
                    }
                });
            }
        }
    }

    private void happen(Fault fault) {
        simulation.note(fault.seed());
        SplittableRandom random = new SplittableRandom(fault.seed());
        Node node = victim(fault, random);
        Node other = simulation.nodes.get(fault.other());
        long lasts = fault.lastsNanos();
        switch (fault.kind()) {
            case KILL -> {
                suspect(node, false, random);
                node.kill();
                restartAfter(random.nextInt(3) == 0 ? 1 + lasts / 1000 : lasts / 4, node);
            }
            case POWER_CUT -> {
                if (simulation.scenario.memory && !mayLose(node)) {
                    return;
                }
                suspect(node, false, random);
                node.powerCut(unsynced(random));
                restartAfter(random.nextInt(3) == 0 ? 1 + lasts / 1000 : lasts / 4, node);
            }
            case POWER_CUT_OF_ALL -> {
                if (simulation.scenario.memory) {
                    return; // that would be the end of it
                }
                for (Node each : simulation.nodes) {
                    each.powerCut(unsynced(random));
                    restartAfter(1 + random.nextLong(lasts / 4), each);
                }
            }
            case CRASH_WHILE_WRITING -> node.disk.crashIn(random.nextInt(12));
            case PAUSE -> {
                SimProcess paused = node.process();
                if (paused != null) {
                    paused.pause();
                    time.after(lasts, paused::resume);
                }
            }
            case CUT_OFF -> {
                network.isolate(node.number, true);
                suspect(node, false, random);
                time.after(lasts, () -> network.isolate(node.number, false));
            }
            case CUT_LEADER_OFF -> {
                Node leader = leader(random.nextInt(simulation.scenario.groups));
                if (leader != null) {
                    // Clients still reach it: it must not tell them anything.
                    for (Node peer : simulation.nodes) {
                        network.setCut(leader.number, peer.number, true);
                        network.setCut(peer.number, leader.number, true);
                    }
                    suspect(leader, false, random);
                    if (random.nextInt(3) == 0) {
                        // It comes back with entries that nobody else has.
                        time.after(lasts * 3 / 4, leader::kill);
                        restartAfter(lasts, leader);
                    }
                    time.after(lasts, () -> network.isolate(leader.number, false));
                }
            }
            case CUT_ONE_WAY -> {
                network.setCut(node.number, other.number, true);
                time.after(lasts, () -> network.setCut(node.number, other.number, false));
            }
            case HALVES -> {
                network.halve(random.nextLong());
                time.after(lasts, network::reconnect);
            }
            case LOSSY -> {
                network.dropRate = 0.4 * random.nextDouble();
                network.duplicateRate = 0.4 * random.nextDouble();
                time.after(lasts, () -> {
                    network.dropRate = 0;
                    network.duplicateRate = 0;
                });
            }
            case LAGGARD_NETWORK -> {
                network.maxDelayNanos = (1 + random.nextInt(4)) * simulation.scenario.electionNanos / 4;
                time.after(lasts, () -> network.maxDelayNanos = simulation.scenario.maxDelayNanos);
            }
            case SLOW_DISK -> {
                node.maxSyncNanos = (1 + random.nextInt(4)) * simulation.scenario.electionNanos / 2;
                time.after(lasts, () -> node.maxSyncNanos = simulation.scenario.maxSyncNanos);
            }
            case CLOCK_JUMP -> jump(node, random);
            case TRANSFER -> node.withReplicas(replica -> replica.group.transferLeadership(other.name));
            case HAND_OVER -> node.withReplicas(replica -> replica.group.handOver());
            case CAMPAIGN -> node.withReplicas(replica -> replica.group.campaign());
            case FALSE_SUSPICION -> node.withReplicas(replica -> replica.group.peerReachable(other.name, false));
            case WRITE_ERROR -> node.disk.failIn(random.nextInt(12));
            case READ_ERROR -> node.disk.failReadIn(random.nextInt(6));
            case FULL_DISK -> node.disk.setFull(true);
            case BIT_FLIP -> flip(node);
            case APPLY_FAILS -> {
                if (node.process() != null) {
                    node.process().failToApply();
                }
            }
            case WIPE -> {
                if (mayLose(node)) {
                    node.wipe();
                }
            }
            case MOVE -> {
                if (noneIsDamaged()) {
                    simulation.operator.move(
                            random.nextInt(simulation.scenario.groups), node.number, other.number, lasts);
                }
            }
        }
    }

    private Node victim(Fault fault, SplittableRandom random) {
        if (fault.hitsLeader()) {
            Node leader = leader(random.nextInt(simulation.scenario.groups));
            if (leader != null) {
                return leader;
            }
        }
        return simulation.nodes.get(fault.node());
    }

    private @Nullable Node leader(int group) {
        Replica leader = simulation.operator.leader(group);
        return leader == null ? null : leader.process.node;
    }

    private static Unsynced unsynced(SplittableRandom random) {
        return List.of(Unsynced.LOST, Unsynced.KEPT, Unsynced.SOME).get(random.nextInt(3));
    }

    private void jump(Node node, SplittableRandom random) {
        long[] reach = {10, 1_000, 60_000, 3_600_000};
        long most = reach[random.nextInt(reach.length)];
        node.wallOffsetMillis += random.nextLong(-most, most + 1);
    }

    /**
     * Whether what is on a disk may go: no protocol survives the loss of a majority, so the one that was lost before must
     * have been replaced.
     */
    private boolean mayLose(Node node) {
        return noneIsDamaged() && node.state != Node.State.REFUSED && simulation.operator.canLoseOne();
    }

    private boolean noneIsDamaged() {
        return simulation.nodes.stream().noneMatch(each -> each.damaged);
    }

    private void flip(Node node) {
        if (mayLose(node)) {
            String where = node.disk.flip(Path.of("/" + node.name));
            if (where != null) {
                node.damaged = true;
                simulation.flips++;
            }
        }
    }

    private void restartAfter(long nanos, Node node) {
        time.after(nanos, () -> {
            if (node.state == Node.State.DOWN) {
                node.start();
                suspect(node, true, new SplittableRandom(nanos));
            }
        });
    }

    /** What the failure detectors of the others say of a node, if they notice. */
    private void suspect(Node node, boolean reachable, SplittableRandom random) {
        if (random.nextBoolean()) {
            long after = random.nextLong(simulation.scenario.electionNanos / (random.nextBoolean() ? 2 : 20));
            time.after(after + MILLI, () -> {
                for (Node each : simulation.nodes) {
                    if (each != node) {
                        each.withReplicas(replica -> replica.group.peerReachable(node.name, reachable));
                    }
                }
            });
        }
    }

    /** All is well from now on, as far as it can be. */
    void heal() {
        network.heal();
        for (Node node : simulation.nodes) {
            node.maxSyncNanos = simulation.scenario.maxSyncNanos;
            node.disk.setFull(false);
            node.disk.disarm();
            if (node.process() != null) {
                node.process().resume();
            }
            node.start();
        }
        for (Node node : simulation.nodes) {
            for (Node other : simulation.nodes) {
                node.withReplicas(replica -> replica.group.peerReachable(other.name, true));
            }
        }
    }
}
