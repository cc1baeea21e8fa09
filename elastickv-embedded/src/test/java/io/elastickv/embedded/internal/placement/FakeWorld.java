package io.elastickv.embedded.internal.placement;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.plan.Loads;
import io.elastickv.embedded.internal.placement.plan.ReplicaState;
import io.elastickv.embedded.internal.placement.plan.ShardLoad;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Groups with replicas, leaders and slots, in virtual time: what is to be done to them may be done, be lost, be done without
 * an answer, or be done later without one. What must never be asked for is a {@link #violations violation}.
 */
final class FakeWorld implements Actions, Sight {

    /** What becomes of something that is asked for. */
    enum Fate {
        DONE,
        LOST,
        SILENT,
        LATE
    }

    static final class Replica {
        boolean voter;
        int progress;

        Replica(boolean voter) {
            this.voter = voter;
        }
    }

    static final class Group {
        final int id;
        final TreeMap<String, Replica> replicas = new TreeMap<>();
        final Set<String> absorbed = new HashSet<>();
        long epoch = 1;
        SlotRange slots;
        Ownership.Given given;
        String leader;
        long version = 1;
        long term = 1;

        Group(int id) {
            this.id = id;
        }
    }

    private record Late(long due, Runnable effect) {}

    final TreeMap<String, Boolean> up = new TreeMap<>();
    final TreeMap<Integer, Group> groups = new TreeMap<>();
    final List<String> violations = new ArrayList<>();
    final List<String> log = new ArrayList<>();
    /** Called before and after anything is done; may throw. */
    Runnable hook = () -> {};

    Supplier<Fate> fates = () -> Fate.DONE;
    /** How long after it was asked for something may be done that was not answered. */
    long lateMillis = 4_000;

    long now = 1_000_000_000_000L;
    int pieceSlots = 3000;
    Loads loads = Loads.NONE;

    private final Map<String, Long> since = new HashMap<>();
    private final List<Late> late = new ArrayList<>();
    private final SplittableRandom random;
    private Map<Integer, Members> seen = Map.of();

    FakeWorld(ClusterLayout layout, long seed) {
        random = new SplittableRandom(seed);
        layout.members().forEach(member -> addNode(member.name()));
        List<ShardPlacement> placements = new ArrayList<>(layout.placements());
        placements.add(Catalog.placement(layout));
        for (ShardPlacement placement : placements) {
            Group group = new Group(placement.id());
            group.slots = placement.slots().get(0);
            placement.replicas().forEach(node -> group.replicas.put(node, new Replica(true)));
            group.leader = placement.preferredLeader();
            groups.put(group.id, group);
        }
        look();
    }

    void addNode(String name) {
        up.put(name, true);
        since.put(name, now);
    }

    void kill(String node) {
        up.put(node, false);
        since.put(node, now);
        elect();
    }

    void revive(String node) {
        up.put(node, true);
        since.put(node, now);
        elect();
    }

    void forget(String node) {
        up.remove(node);
        groups.values().stream().filter(group -> group.slots == null).forEach(group -> group.replicas.remove(node));
        groups.values().removeIf(group -> group.replicas.isEmpty());
    }

    /** Time goes on: what is late happens, leaders are elected. What is seen is what was there before. */
    void tick(long millis) {
        look();
        now += millis;
        for (Late one : List.copyOf(late)) {
            if (one.due <= now) {
                late.remove(one);
                one.effect.run();
            }
        }
        elect();
    }

    boolean isSettled() {
        return late.isEmpty();
    }

    private void look() {
        Map<Integer, Members> members = new TreeMap<>();
        groups.forEach((id, group) -> {
            List<ReplicaState> replicas = new ArrayList<>();
            group.replicas.forEach((node, replica) ->
                    replicas.add(new ReplicaState(node, replica.voter, replica.voter || replica.progress > 1)));
            members.put(id, new Members(replicas, group.leader, group.version, group.term));
        });
        seen = members;
    }

    private void elect() {
        for (Group group : groups.values()) {
            if (group.leader != null && (!isUp(group.leader) || !isVoter(group, group.leader) || !hasQuorum(group))) {
                group.leader = null;
            }
            if (group.leader == null && hasQuorum(group)) {
                List<String> able = group.replicas.keySet().stream()
                        .filter(node -> isUp(node) && isVoter(group, node))
                        .toList();
                group.leader = able.get(random.nextInt(able.size()));
                group.term++;
            }
        }
    }

    boolean isUp(String node) {
        return up.getOrDefault(node, false);
    }

    private static boolean isVoter(Group group, String node) {
        Replica replica = group.replicas.get(node);
        return replica != null && replica.voter;
    }

    private long healthy(Group group) {
        return group.replicas.entrySet().stream()
                .filter(entry -> entry.getValue().voter && isUp(entry.getKey()))
                .count();
    }

    private static long voters(Group group) {
        return group.replicas.values().stream().filter(replica -> replica.voter).count();
    }

    boolean hasQuorum(Group group) {
        return healthy(group) * 2 > voters(group);
    }

    // What is asked for

    private Answer act(int id, String what, java.util.function.Function<Group, Answer> effect) {
        hook.run();
        Fate fate = fates.get();
        Group group = groups.get(id);
        Answer answer;
        if (fate == Fate.LOST || (group != null && group.leader == null)) {
            answer = Answer.none("no answer");
        } else if (fate == Fate.LATE) {
            late.add(new Late(now + random.nextLong(lateMillis), () -> {
                Group then = groups.get(id);
                if (then == null || then.leader != null) {
                    Answer unused = effect.apply(then);
                }
            }));
            answer = Answer.none("no answer");
        } else {
            Answer real = effect.apply(group);
            answer = fate == Fate.SILENT ? Answer.none("no answer") : real;
        }
        log.add(now + " " + what + ": " + answer + (fate == Fate.DONE ? "" : " (" + fate + ")"));
        hook.run();
        return answer;
    }

    @Override
    public Answer addReplica(int shard, String node) {
        return act(shard, "add " + shard + " " + node, group -> {
            if (group == null) {
                return Answer.impossible("no shard " + shard);
            }
            if (isVoter(group, node)) {
                return Answer.DONE;
            }
            if (!isUp(node)) {
                return Answer.underWay("node " + node + " does not answer");
            }
            Replica replica = group.replicas.get(node);
            if (replica == null) {
                group.replicas.put(node, new Replica(false));
                group.version++;
                return Answer.underWay("it fetches");
            }
            if (++replica.progress < 3) {
                return Answer.underWay("it has fetched " + replica.progress);
            }
            replica.voter = true;
            group.version++;
            return Answer.DONE;
        });
    }

    @Override
    public Answer removeReplica(int shard, String node) {
        return act(shard, "remove " + shard + " " + node, group -> {
            if (group == null || !group.replicas.containsKey(node)) {
                return Answer.DONE;
            }
            if (group.replicas.size() == 1) {
                return Answer.impossible("there is no other replica");
            }
            if (isVoter(group, node)) {
                long left = healthy(group) - (isUp(node) ? 1 : 0);
                if (left * 2 <= voters(group) - 1) {
                    return Answer.underWay("it would lose its quorum");
                }
            }
            if (node.equals(group.leader)) {
                // Who was to remove it saw another leader: it hands over by itself first, if there is somebody.
                group.leader = group.replicas.keySet().stream()
                        .filter(other -> !other.equals(node) && isUp(other) && isVoter(group, other))
                        .findFirst()
                        .orElse(null);
                if (group.leader == null) {
                    group.leader = node;
                    return Answer.underWay("nobody else could lead it");
                }
                group.term++;
            }
            group.replicas.remove(node);
            group.version++;
            elect();
            return Answer.DONE;
        });
    }

    @Override
    public Answer transfer(int shard, String node) {
        return act(shard, "transfer " + shard + " " + node, group -> {
            if (group == null || !isVoter(group, node)) {
                return Answer.impossible(node + " has no replica that votes");
            }
            if (!isUp(node)) {
                return Answer.underWay(node + " does not answer");
            }
            if (!node.equals(group.leader)) {
                group.leader = node;
                group.term++;
            }
            return Answer.DONE;
        });
    }

    @Override
    public Answer split(int parent, long expectedEpoch, long epoch, int firstSlot, int child, long childEpoch) {
        return act(parent, "split " + parent + " " + expectedEpoch + " at " + firstSlot + " " + child, group -> {
            if (group == null
                    || group.epoch != expectedEpoch
                    || group.slots == null
                    || firstSlot <= group.slots.first()
                    || firstSlot > group.slots.last()) {
                return Answer.impossible("another epoch, or not its slot");
            }
            if (groups.containsKey(child)) {
                violations.add("shard " + child + " is made twice");
                return Answer.impossible("it is there");
            }
            Group made = new Group(child);
            made.epoch = childEpoch;
            made.slots = new SlotRange(firstSlot, group.slots.last());
            group.replicas.forEach((node, replica) -> made.replicas.put(node, new Replica(replica.voter)));
            made.leader = group.leader;
            group.slots = new SlotRange(group.slots.first(), firstSlot - 1);
            group.epoch = epoch;
            groups.put(child, made);
            return Answer.DONE;
        });
    }

    @Override
    public Ownership ownership(int shard) {
        Group group = groups.get(shard);
        if (group == null || group.leader == null || fates.get() != Fate.DONE) {
            return null;
        }
        return new Ownership(group.epoch, group.slots == null ? List.of() : List.of(group.slots), group.given);
    }

    @Override
    public Measure measure(int shard, int first) {
        return new Measure(act(shard, "measure " + shard, group -> Answer.DONE), first + pieceSlots - 1);
    }

    @Override
    public Answer give(int shard, long expectedEpoch, long epoch, SlotRange piece, int to) {
        return act(shard, "give " + shard + " " + piece + " to " + to, group -> {
            Ownership.Given asked = new Ownership.Given(epoch, piece, to);
            if (group == null) {
                return Answer.impossible("no shard " + shard);
            }
            if (asked.equals(group.given)) {
                return Answer.DONE;
            }
            if (group.epoch != expectedEpoch
                    || group.given != null
                    || group.slots == null
                    || group.slots.first() != piece.first()
                    || piece.last() > group.slots.last()) {
                return Answer.impossible("another epoch, or not its slots");
            }
            group.given = asked;
            group.epoch = epoch;
            group.slots =
                    piece.last() == group.slots.last() ? null : new SlotRange(piece.last() + 1, group.slots.last());
            return Answer.DONE;
        });
    }

    @Override
    public Answer absorb(int shard, int from, long epoch, SlotRange piece) {
        return act(shard, "absorb " + shard + " " + piece + " of " + from, group -> {
            if (group == null) {
                return Answer.impossible("no shard " + shard);
            }
            if (group.absorbed.contains(from + "@" + epoch)) {
                return Answer.DONE;
            }
            Group giving = groups.get(from);
            if (giving == null || giving.leader == null) {
                return Answer.underWay("shard " + from + " does not answer");
            }
            if (!new Ownership.Given(epoch, piece, shard).equals(giving.given)
                    || group.slots.last() + 1 != piece.first()) {
                violations.add("shard " + shard + " is to absorb " + piece + " that " + from + " did not give");
                return Answer.impossible("not given");
            }
            group.slots = new SlotRange(group.slots.first(), piece.last());
            group.epoch = epoch;
            group.absorbed.add(from + "@" + epoch);
            return Answer.DONE;
        });
    }

    @Override
    public Answer drop(int shard, long epoch) {
        return act(shard, "drop " + shard, group -> {
            if (group != null && group.given != null && group.given.epoch() == epoch) {
                if (!groups.get(group.given.to()).absorbed.contains(shard + "@" + epoch)) {
                    violations.add("shard " + shard + " is to drop what was not absorbed");
                }
                group.given = null;
            }
            return Answer.DONE;
        });
    }

    @Override
    public Answer removeShard(int shard, List<String> nodes) {
        hook.run();
        Group group = groups.get(shard);
        Answer answer = Answer.DONE;
        if (group != null && group.slots != null) {
            violations.add("shard " + shard + " is to be deleted with its slots");
            answer = Answer.impossible("it owns slots");
        } else if (group != null && fates.get() == Fate.DONE) {
            for (String node : nodes) {
                if (isUp(node)) {
                    group.replicas.remove(node);
                } else if (group.replicas.containsKey(node)) {
                    answer = Answer.underWay("node " + node + " does not answer");
                }
            }
            group.leader = null;
            if (group.replicas.isEmpty()) {
                groups.remove(shard);
            }
        } else if (group != null) {
            answer = Answer.none("no answer");
        }
        log.add(now + " remove " + shard + " " + nodes + ": " + answer);
        hook.run();
        return answer;
    }

    // What is seen

    @Override
    public Map<Integer, Members> members() {
        return seen;
    }

    @Override
    public Map<Integer, Long> sizes() {
        return Map.of();
    }

    @Override
    public Map<String, NodeSight> nodes() {
        Map<String, NodeSight> nodes = new TreeMap<>();
        up.forEach((name, isUp) -> nodes.put(name, new NodeSight(isUp, since.get(name), "", Long.MAX_VALUE)));
        return nodes;
    }

    @Override
    public Loads loads() {
        return loads;
    }

    /** All shards have been cold for long. */
    static Loads cold(CatalogState state) {
        Map<Integer, ShardLoad> byShard = new HashMap<>();
        ShardLoad none = ShardLoad.NONE;
        state.shards().keySet().forEach(id -> byShard.put(id, new ShardLoad(0, 0, 0, 0, none.slots(), List.of(), 0)));
        return new Loads(byShard);
    }
}
