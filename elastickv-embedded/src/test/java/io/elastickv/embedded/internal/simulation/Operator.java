package io.elastickv.embedded.internal.simulation;

import static io.elastickv.embedded.internal.simulation.VirtualTime.MILLI;

import io.elastickv.embedded.internal.raft.MemberId;
import io.elastickv.embedded.internal.raft.MembershipCallback;
import io.elastickv.embedded.internal.raft.ReplicaGroup;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.MemberChange;
import io.elastickv.embedded.internal.raft.core.PeerProgress;
import io.elastickv.embedded.internal.raft.core.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Whoever says which nodes shall have a replica of which group, and works towards it one change at a time: makes replicas,
 * has them added, promoted and removed, and clears away those that are no members any more. It sees the cluster from
 * outside, but what it asks of a group it asks of the leader and believes only what is committed.
 */
final class Operator {

    private final Simulation simulation;
    private final SplittableRandom random;

    /** Where the replicas of each group shall be. */
    private final List<TreeSet<Integer>> wanted = new ArrayList<>();

    /** Members that were in a committed configuration, with the commit index at which they were seen there. */
    private final List<Map<String, Long>> seen = new ArrayList<>();

    private int keys;
    int changes;

    Operator(Simulation simulation, SplittableRandom random) {
        this.simulation = simulation;
        this.random = random;
        for (int group = 0; group < simulation.scenario.groups; group++) {
            wanted.add(new TreeSet<>());
            seen.add(new TreeMap<>());
        }
    }

    /** Places the first replicas. */
    List<String> place(int group) {
        TreeSet<Integer> where = wanted.get(group);
        while (where.size() < simulation.scenario.replicas) {
            where.add(random.nextInt(simulation.scenario.nodes));
        }
        List<String> members = new ArrayList<>();
        for (int node : where) {
            String member = MemberId.of(simulation.nodes.get(node).name, "k0");
            simulation.nodes.get(node).holds.put(group, member);
            members.add(member);
        }
        return members;
    }

    /** Moves a replica to another node or, if there is none, takes it out for a while. */
    void move(int group, int from, int to, long lastsNanos) {
        TreeSet<Integer> where = wanted.get(group);
        if (where.size() < 3 || !where.remove(from)) {
            return;
        }
        if (where.contains(to) || from == to) {
            simulation.time.after(lastsNanos, () -> {
                where.add(from);
            });
        } else {
            where.add(to);
        }
    }

    void work() {
        simulation.time.after(simulation.scenario.electionNanos / 8 + random.nextLong(200 * MILLI), () -> {
            for (int group = 0; group < simulation.scenario.groups; group++) {
                Replica leader = leader(group);
                if (leader != null) {
                    step(group, leader);
                }
            }
            work();
        });
    }

    /** The leader with the highest term, if it runs. */
    @Nullable
    Replica leader(int group) {
        Replica best = null;
        for (Node node : simulation.nodes) {
            Replica replica = node.replica(group);
            if (replica != null
                    && replica.group.status().role() == Role.LEADER
                    && (best == null
                            || best.group.status().term()
                                    < replica.group.status().term())) {
                best = replica;
            }
        }
        return best != null && best.process.isRunning() ? best : null;
    }

    private void step(int group, Replica leader) {
        ReplicaGroup.Status status = leader.group.status();
        Configuration committed = status.committedConfiguration();
        clearAway(group, committed, status.commitIndex());
        if (!leader.group.configuration().equals(committed)) {
            return; // a change is under way
        }
        MemberChange change = next(group, leader, committed);
        if (change != null) {
            changes++;
            leader.process.onLoop(() -> leader.group.changeMembers(change, new MembershipCallback() {
                @Override
                public void committed() {
                    simulation.note(1);
                }

                @Override
                public void refused(String reason) {
                    simulation.note(2);
                }

                @Override
                public void unknown() {
                    simulation.note(3);
                }
            }));
        }
    }

    private @Nullable MemberChange next(int group, Replica leader, Configuration committed) {
        for (String learner : committed.learners()) {
            if (!lives(group, learner) || !isWanted(group, learner)) {
                return new MemberChange.Remove(learner);
            }
            return isCaughtUp(leader, learner) ? new MemberChange.Promote(learner) : null;
        }
        int living = 0;
        TreeSet<Integer> missing = new TreeSet<>(wanted.get(group));
        String surplus = null;
        for (String voter : committed.voters()) {
            boolean lives = lives(group, voter);
            if (lives && isWanted(group, voter)) {
                living++;
                missing.remove(simulation.numberOf(MemberId.node(voter)));
            } else if (surplus == null || !lives) {
                surplus = voter;
            }
        }
        for (int number : missing) {
            Node node = simulation.nodes.get(number);
            String held = node.holds.get(group);
            if (held == null) {
                String fresh = MemberId.of(node.name, "k" + ++keys);
                return node.create(group, fresh) ? new MemberChange.AddLearner(fresh) : null;
            }
            if (!committed.contains(held) && !seen.get(group).containsKey(held)) {
                return new MemberChange.AddLearner(held); // it was made, but its adding came to nothing
            }
        }
        return surplus != null
                        && living >= Math.min(2, wanted.get(group).size())
                        && missing.isEmpty()
                        && canVoteWithout(group, surplus, committed)
                ? new MemberChange.Remove(surplus)
                : null;
    }

    /** As a node asks before it takes a member out: whether a majority of the rest is there and has its log. */
    private boolean canVoteWithout(int group, String voter, Configuration committed) {
        Configuration without = committed.without(voter);
        long able = without.voters().stream()
                .filter(each -> {
                    Replica replica = simulation.node(MemberId.node(each)).replica(group);
                    return lives(group, each)
                            && replica != null
                            && !replica.group.status().memoryLost();
                })
                .count();
        return able > without.voters().size() / 2;
    }

    private boolean lives(int group, String member) {
        Node node = simulation.node(MemberId.node(member));
        return member.equals(node.holds.get(group));
    }

    private boolean isWanted(int group, String member) {
        return wanted.get(group).contains(simulation.numberOf(MemberId.node(member)));
    }

    private static boolean isCaughtUp(Replica leader, String member) {
        for (PeerProgress progress : leader.group.progress()) {
            if (progress.peer().equals(member)) {
                return progress.caughtUp();
            }
        }
        return false;
    }

    /** Who was a member, and is none by what was committed since, never will be one again. */
    private void clearAway(int group, Configuration committed, long commitIndex) {
        Map<String, Long> members = seen.get(group);
        for (String member : committed.members()) {
            members.merge(member, commitIndex, Math::max);
        }
        for (Node node : simulation.nodes) {
            String held = node.holds.get(group);
            if (held != null && !committed.contains(held)) {
                Long when = members.get(held);
                if (when != null && when < commitIndex) {
                    node.drop(group);
                }
            }
        }
    }

    /** Whether every group is well and has replicas enough to go on without any one of them. */
    boolean canLoseOne() {
        return wanted.stream().allMatch(where -> where.size() >= 3) && allIsWell();
    }

    /** Whether every group has all that it shall have, and all of them have what is committed. */
    boolean allIsWell() {
        for (int group = 0; group < simulation.scenario.groups; group++) {
            if (!isWell(group)) {
                return false;
            }
        }
        return true;
    }

    private boolean isWell(int group) {
        Replica leader = leader(group);
        if (leader == null) {
            return false;
        }
        ReplicaGroup.Status status = leader.group.status();
        Configuration committed = status.committedConfiguration();
        if (!leader.group.configuration().equals(committed)
                || !committed.learners().isEmpty()
                || committed.voters().size() != wanted.get(group).size()) {
            return false;
        }
        for (String voter : committed.voters()) {
            Replica replica = simulation.node(MemberId.node(voter)).replica(group);
            if (!lives(group, voter)
                    || !isWanted(group, voter)
                    || replica == null
                    || replica.group.status().memoryLost()) {
                return false;
            }
        }
        for (PeerProgress progress : leader.group.progress()) {
            if (progress.matchIndex() < status.commitIndex()) {
                return false;
            }
        }
        return true;
    }
}
