package io.elastickv.embedded.internal.raft.core;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * Changes the members of a {@link SimCluster}: adds learners on spare and wiped nodes, promotes, removes and replaces, the
 * leader too. It never leaves a configuration without a majority of members that can vote: what no algorithm survives is
 * not asked for.
 */
final class SimAdmin {

    private final SimCluster c;
    private final int spares;
    private final long paceNanos;
    private final TreeSet<String> everMembers = new TreeSet<>();

    int accepted;

    SimAdmin(SimCluster cluster) {
        c = cluster;
        boolean busy = c.profile == SimCluster.Profile.MEMBERSHIP;
        int draw = c.random.nextInt(3);
        paceNanos = busy ? 12 * SimCluster.MILLI : draw == 0 ? 0 : draw * 60 * SimCluster.MILLI;
        spares = paceNanos == 0 ? 0 : 1 + c.random.nextInt(3);
        everMembers.addAll(c.initial.voters());
    }

    /** Nodes beyond those of the first members. */
    int spares() {
        return spares;
    }

    boolean active() {
        return paceNanos > 0;
    }

    void begin() {
        if (active()) {
            c.after(c.random.nextLong(100 * SimCluster.MILLI), this::act);
        }
    }

    private void act() {
        if (!c.faulty) {
            return;
        }
        c.after(1 + c.random.nextLong(2 * paceNanos), this::act);
        for (SimNode node : c.nodes) {
            if (node.leads() && c.random.nextInt(4) != 0) {
                actOn(node);
            }
        }
    }

    /** Proposes a change, whatever comes to mind. */
    void actOn(SimNode leader) {
        if (!c.faulty || !leader.leads()) {
            return;
        }
        Configuration now = leader.core().configuration();
        List<String> all = now.members();
        String member = all.get(c.random.nextInt(all.size()));
        for (String other : all) {
            if (c.isGone(other) && c.random.nextBoolean()) {
                member = other;
            }
        }
        switch (c.random.nextInt(4)) {
            case 0 -> addLearner(leader);
            case 1, 2 -> {
                if (!now.learners().isEmpty()) {
                    member = now.learners().get(c.random.nextInt(now.learners().size()));
                    propose(leader, new MemberChange.Promote(member), now.promoted(member));
                } else {
                    addLearner(leader);
                }
            }
            default -> propose(leader, new MemberChange.Remove(member), now.without(member));
        }
    }

    /** Proposes to take a member out. */
    void remove(SimNode leader, String member) {
        if (c.faulty && leader.leads()) {
            propose(
                    leader,
                    new MemberChange.Remove(member),
                    leader.core().configuration().without(member));
        }
    }

    private void addLearner(SimNode leader) {
        Configuration now = leader.core().configuration();
        if (now.learners().size() >= 2) {
            return;
        }
        SimNode node = c.nodes.get(c.random.nextInt(c.nodes.size()));
        if (!node.running()
                || node.disk.memoryLost
                || c.isGone(node.name)
                || now.contains(node.name)
                || isNamedAnywhere(node.name)) {
            return;
        }
        if (everMembers.contains(node.name) && c.random.nextInt(4) != 0) {
            // What was removed is deleted; if the node gets a replica again that is another member.
            node.wipe();
            node.start();
        }
        everMembers.add(node.name);
        propose(leader, new MemberChange.AddLearner(node.name), now.withLearner(node.name));
    }

    private boolean isNamedAnywhere(String member) {
        return c.oracle.possible().stream().anyMatch(p -> p.contains(member));
    }

    private void propose(SimNode leader, MemberChange change, Configuration next) {
        if (next.voters().isEmpty() || !c.survive(List.of(next), null)) {
            return;
        }
        if (leader.change(change) instanceof Proposal.Accepted) {
            accepted++;
            c.faults.membersChanged(leader);
        }
    }

    // ---------------------------------------------------------------------------------------------- afterwards

    /** Whether all members are there, and vote. */
    boolean repaired() {
        Configuration committed = c.oracle.committedConfiguration();
        return committed.learners().isEmpty()
                && committed.voters().stream().noneMatch(c::isGone)
                && c.nodes.stream()
                        .filter(SimNode::leads)
                        .allMatch(n -> n.core().configuration().equals(committed));
    }

    /** One step towards that. */
    void repair() {
        for (SimNode node : new ArrayList<>(c.nodes)) {
            if (!node.leads()) {
                continue;
            }
            Configuration now = node.core().configuration();
            for (String member : now.members()) {
                if (c.isGone(member)) {
                    replace(node, member, now);
                } else if (now.isLearner(member)) {
                    node.change(new MemberChange.Promote(member));
                }
            }
        }
    }

    /** What the node is now takes the place of what it was. */
    private void replace(SimNode leader, String gone, Configuration now) {
        String fresh = c.successor(gone).name;
        if (now.isLearner(gone) || now.isVoter(fresh)) {
            leader.change(new MemberChange.Remove(gone));
        } else {
            leader.change(now.isLearner(fresh) ? new MemberChange.Promote(fresh) : new MemberChange.AddLearner(fresh));
        }
    }
}
