package io.elastickv.embedded.internal.node;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.Actions;
import io.elastickv.embedded.internal.placement.Answer;
import io.elastickv.embedded.internal.placement.Ownership;
import io.elastickv.embedded.internal.routing.Router;
import io.elastickv.embedded.internal.routing.ShardRoute;
import io.elastickv.embedded.internal.storage.GivenSlots;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Asks the leaders of groups to change them. Thread-safe; blocks for at most a second. */
final class ClusterActions implements Actions {

    private static final long TIMEOUT_NANOS = 1_000_000_000L;
    private static final Answer NO_LEADER = Answer.none("no leader is known");

    private final Router router;
    private final ControlProtocol control;

    ClusterActions(Router router, ControlProtocol control) {
        this.router = router;
        this.control = control;
    }

    private static long deadline() {
        return System.nanoTime() + TIMEOUT_NANOS;
    }

    private @Nullable String leader(int shard) {
        ShardRoute route = router.route(shard);
        return route == null ? null : route.leader();
    }

    @Override
    public Answer addReplica(int shard, String node) {
        return change(shard, new ReplicaProtocol.Change(shard, true, node));
    }

    @Override
    public Answer removeReplica(int shard, String node) {
        return change(shard, new ReplicaProtocol.Change(shard, false, node));
    }

    private Answer change(int shard, ReplicaProtocol.Change change) {
        String leader = leader(shard);
        return leader == null ? NO_LEADER : answer(leader, control.change(leader, change, deadline()));
    }

    private static Answer answer(String leader, ReplicaProtocol.@Nullable Changed changed) {
        if (changed == null) {
            return Answer.none("node " + leader + " does not answer");
        }
        return switch (changed.state()) {
            case DONE -> new Answer(Answer.Result.DONE, changed.text());
            case UNDER_WAY -> Answer.underWay(changed.text());
            case IMPOSSIBLE -> Answer.impossible(changed.text());
            case NOT_LEADER -> Answer.none("node " + leader + " does not lead it any more");
        };
    }

    @Override
    public Answer transfer(int shard, String node) {
        String leader = leader(shard);
        if (leader == null) {
            return NO_LEADER;
        }
        if (leader.equals(node)) {
            return Answer.DONE;
        }
        return control.transfer(leader, shard, node, deadline())
                ? Answer.underWay("node " + leader + " hands it over")
                : Answer.none("node " + leader + " does not answer as its leader");
    }

    @Override
    public Answer split(int parent, long expectedEpoch, long epoch, int firstSlot, int child, long childEpoch) {
        String leader = leader(parent);
        return leader == null
                ? NO_LEADER
                : answer(
                        leader,
                        control.split(leader, parent, expectedEpoch, epoch, firstSlot, child, childEpoch, deadline()));
    }

    @Override
    public @Nullable Ownership ownership(int shard) {
        String leader = leader(shard);
        OwnershipProtocol.Owned owned = leader == null ? null : control.ownership(leader, shard, deadline());
        if (owned == null) {
            return null;
        }
        GivenSlots given = owned.given();
        return new Ownership(
                owned.epoch(),
                owned.slots(),
                given == null
                        ? null
                        : new Ownership.Given(
                                given.epoch(),
                                new SlotRange(
                                        given.slots().first(), given.slots().last()),
                                given.to()));
    }

    @Override
    public Measure measure(int shard, int first) {
        String leader = leader(shard);
        if (leader == null) {
            return new Measure(NO_LEADER, -1);
        }
        ReplicaProtocol.Changed measured = control.measure(leader, shard, first, deadline());
        int last = measured != null && measured.state() == ReplicaProtocol.State.DONE
                ? Integer.parseInt(measured.text())
                : -1;
        return new Measure(answer(leader, measured), last);
    }

    @Override
    public Answer give(int shard, long expectedEpoch, long epoch, SlotRange piece, int to) {
        String leader = leader(shard);
        OwnershipProtocol.Give request =
                new OwnershipProtocol.Give(shard, expectedEpoch, epoch, piece.first(), piece.last(), to);
        return leader == null ? NO_LEADER : answer(leader, control.give(leader, request, deadline()));
    }

    @Override
    public Answer absorb(int shard, int from, long epoch, SlotRange piece) {
        String leader = leader(from);
        String taking = leader(shard);
        return leader == null || taking == null
                ? NO_LEADER
                : answer(
                        leader,
                        control.absorb(
                                leader,
                                new OwnershipProtocol.Absorb(from, shard, epoch, piece.first(), piece.last(), taking),
                                deadline()));
    }

    @Override
    public Answer drop(int shard, long epoch) {
        String leader = leader(shard);
        return leader == null ? NO_LEADER : answer(leader, control.drop(leader, shard, epoch, deadline()));
    }

    @Override
    public Answer removeShard(int shard, List<String> nodes) {
        long deadlineNanos = deadline();
        Answer all = Answer.DONE;
        for (String node : nodes) {
            Answer one = answer(node, control.removeShard(node, shard, deadlineNanos));
            all = one.result() == Answer.Result.DONE ? all : one;
        }
        return all;
    }
}
