package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.ReplicaKey;
import io.elastickv.embedded.internal.raft.MemberId;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.MemberChange;
import io.elastickv.embedded.internal.raft.core.PeerProgress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides what a shard's leader does next about its members: a pure function of what it sees, so that whichever replica
 * leads goes on where the one before stopped.
 *
 * <p>To replace a member whose directory was lost, a replica is made on its node, added as a learner, and given a vote
 * when it has caught up; the lost member goes just before that. So the majority needed is at no time larger than before,
 * and a member that cannot answer counts in it no longer than it must. Learners are nothing but steps on that way, or of
 * {@code addReplica}: one that has caught up gets its vote, one whose directory was lost goes as soon as there is another
 * member on its node.
 */
final class ChangePlanner {

    /** What to do. */
    sealed interface Step {}

    /** Nothing for now. */
    record Rest() implements Step {}

    /**
     * Make a replica and add it as a learner.
     *
     * @param node where
     * @param key the key it is to have
     */
    record Make(String node, ReplicaKey key) implements Step {}

    /** Propose a change. */
    record Change(MemberChange change) implements Step {}

    /**
     * It is so already, or cannot be.
     *
     * @param done whether it is so
     * @param impossible whether it can never be
     * @param why for people
     */
    record Answer(boolean done, boolean impossible, String why) implements Step {}

    /**
     * What a leader sees.
     *
     * @param configuration the members in effect
     * @param committed whether these are committed
     * @param directories the data directory that stands for each member of the cluster
     * @param reachable the nodes that are reachable with that directory, this one included
     * @param progress of the other members, by id
     * @param heard the members that were heard from a moment ago, this one included
     */
    record Sight(
            Configuration configuration,
            boolean committed,
            Map<String, String> directories,
            Set<String> reachable,
            Map<String, PeerProgress> progress,
            Set<String> heard) {

        boolean isLost(String member) {
            String directory = directories.get(MemberId.node(member));
            return directory == null || !ShardMembers.isIn(member, directory);
        }

        @Nullable
        String memberOn(String node, List<String> among, boolean lost) {
            for (String member : among) {
                if (MemberId.node(member).equals(node) && isLost(member) == lost) {
                    return member;
                }
            }
            return null;
        }

        /** Whether it can be counted on for a majority: it is there, and has all that it ever acknowledged. */
        boolean canVote(String member) {
            PeerProgress peer = progress.get(member);
            return heard.contains(member) && (peer == null || peer.remembers());
        }

        /** Whether there is no other member on its node. */
        boolean isAlone(String member) {
            String node = MemberId.node(member);
            return configuration.members().stream()
                            .filter(other -> MemberId.node(other).equals(node))
                            .count()
                    == 1;
        }

        boolean hasCaughtUp(String member) {
            PeerProgress peer = progress.get(member);
            return peer != null && peer.caughtUp() && heard.contains(member);
        }

        Make make(String node) {
            return new Make(node, ReplicaKey.added(directories.getOrDefault(node, ""), configuration.version() + 1));
        }
    }

    private ChangePlanner() {}

    /** Whether {@link #repair} may find something to do with these members. */
    static boolean needsRepair(Configuration configuration, Map<String, String> directories) {
        if (!configuration.learners().isEmpty()) {
            return true;
        }
        for (String voter : configuration.voters()) {
            String directory = directories.get(MemberId.node(voter));
            if (directory != null && !ShardMembers.isIn(voter, directory)) {
                return true;
            }
        }
        return false;
    }

    /** The next step towards full replication without members whose directory is lost. */
    static Step repair(Sight sight) {
        Configuration configuration = sight.configuration();
        if (!sight.committed()) {
            return new Rest();
        }
        for (String learner : configuration.learners()) {
            String node = MemberId.node(learner);
            if (!sight.isLost(learner)) {
                if (sight.hasCaughtUp(learner)) {
                    String lost = sight.memberOn(node, configuration.voters(), true);
                    return new Change(lost != null ? new MemberChange.Remove(lost) : new MemberChange.Promote(learner));
                }
            } else if (sight.isAlone(learner)) {
                // It stays until there is another: it is all that tells of the replica wanted there.
                if (sight.reachable().contains(node)) {
                    return sight.make(node);
                }
            } else {
                return new Change(new MemberChange.Remove(learner));
            }
        }
        for (String voter : configuration.voters()) {
            String node = MemberId.node(voter);
            if (!sight.isLost(voter) || sight.memberOn(node, configuration.learners(), false) != null) {
                continue;
            }
            if (sight.memberOn(node, configuration.voters(), false) != null) {
                return new Change(new MemberChange.Remove(voter));
            }
            if (sight.reachable().contains(node)) {
                return sight.make(node);
            }
        }
        return new Rest();
    }

    /**
     * The replicas that are members since the shard was split off, and that their nodes seem not to have: those nodes had the
     * parent's state of a later time instead of coming by the split. Each node knows whether that is so.
     *
     * @param first the members at the split
     */
    static List<Make> unmade(Sight sight, Configuration first) {
        List<Make> unmade = new ArrayList<>();
        for (String member : first.members()) {
            String node = MemberId.node(member);
            if (sight.configuration().contains(member)
                    && !sight.isLost(member)
                    && !sight.heard().contains(member)
                    && sight.reachable().contains(node)) {
                unmade.add(new Make(node, ReplicaKey.parse(MemberId.key(member))));
            }
        }
        return unmade;
    }

    /** The next step towards a replica on {@code node} that votes. */
    static Step add(Sight sight, String node) {
        Configuration configuration = sight.configuration();
        if (!sight.directories().containsKey(node)) {
            return new Answer(false, true, "there is no node " + node + " that stores data");
        }
        if (sight.memberOn(node, configuration.voters(), false) != null) {
            return sight.committed()
                    ? new Answer(true, false, "there is a replica on node " + node)
                    : new Answer(false, false, "its vote is being committed");
        }
        String learner = sight.memberOn(node, configuration.learners(), false);
        if (learner != null) {
            PeerProgress peer = sight.progress().get(learner);
            return new Answer(
                    false,
                    false,
                    "the replica on node " + node + " is catching up"
                            + (peer == null ? "" : ", it has the log up to entry " + peer.matchIndex()));
        }
        if (!sight.committed()) {
            return new Answer(false, false, "another change of the members is being committed");
        }
        if (!sight.reachable().contains(node)) {
            return new Answer(false, false, "node " + node + " cannot be reached");
        }
        return sight.make(node);
    }

    /** The next step towards no replica on {@code node}. */
    static Step remove(Sight sight, String node) {
        Configuration configuration = sight.configuration();
        String voter = sight.memberOn(node, configuration.voters(), true);
        if (voter == null) {
            voter = sight.memberOn(node, configuration.voters(), false);
        }
        String member = voter;
        for (String learner : configuration.learners()) {
            if (member == null && MemberId.node(learner).equals(node)) {
                member = learner;
            }
        }
        if (member == null) {
            return sight.committed()
                    ? new Answer(true, false, "there is no replica on node " + node)
                    : new Answer(false, false, "the removal is being committed");
        }
        if (configuration.voters().equals(List.of(member))) {
            return new Answer(false, true, "the replica on node " + node + " is the last one");
        }
        if (!sight.committed()) {
            return new Answer(false, false, "another change of the members is being committed");
        }
        Configuration without = configuration.without(member);
        long able = without.voters().stream().filter(sight::canVote).count();
        if (configuration.isVoter(member) && able < without.voters().size() / 2 + 1) {
            return new Answer(
                    false,
                    false,
                    "without node " + node + " only " + able + " of "
                            + without.voters().size() + " replicas could vote now, which is no majority");
        }
        return new Change(new MemberChange.Remove(member));
    }
}
