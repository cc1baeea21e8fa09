package io.elastickv.embedded.internal.placement;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.plan.Automation;
import io.elastickv.embedded.internal.placement.plan.ShardStamps;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One revision of the catalog: the nodes, the shards with the slots they own, the operations, the settings. Immutable.
 *
 * <p>It is kept as records in the catalog's group, by {@link CatalogKeys}; each change is one atomic batch that requires the
 * revision it was made from, and is told to the nodes as a {@link CatalogDelta}. Every revision is checked as a whole:
 * each of the 16384 slots is owned by exactly one shard, and all numbers were given out by the counters.
 */
public final class CatalogState {

    /** How many operations that have ended are remembered. */
    public static final int MAX_PAST = 200;

    private static final Comparator<PastOperation> BY_END =
            Comparator.comparingLong(PastOperation::endedMillis).thenComparingLong(PastOperation::id);

    /** Before the first revision: nothing is known. */
    public static final CatalogState EMPTY = new CatalogState(new Draft());

    private final long revision;
    private final long millis;
    private final SortedMap<String, CatalogNode> nodes;
    private final SortedMap<Integer, CatalogShard> shards;
    private final SortedMap<Long, CatalogOperation> running;
    private final List<PastOperation> past;
    private final SortedMap<Integer, Grave> graves;
    private final CatalogSettings settings;
    private final CatalogShard self;
    private final CatalogCodec.Counters counters;

    /** What a revision is made from. */
    private static final class Draft {
        CatalogCodec.Revision revision = new CatalogCodec.Revision(0, 0);
        SortedMap<String, CatalogNode> nodes = new TreeMap<>();
        SortedMap<Integer, CatalogShard> shards = new TreeMap<>();
        SortedMap<Long, CatalogOperation> running = new TreeMap<>();
        SortedMap<Long, PastOperation> past = new TreeMap<>();
        SortedMap<Integer, Grave> graves = new TreeMap<>();
        CatalogSettings settings = new CatalogSettings(1, Automation.ALL, 1);
        CatalogShard self = group(null);
        CatalogCodec.Counters counters = new CatalogCodec.Counters(0, 1);

        void put(String key, byte @Nullable [] value) {
            if (key.equals(CatalogKeys.REVISION) && value != null) {
                revision = CatalogCodec.revision(key, value);
            } else if (key.equals(CatalogKeys.COUNTERS) && value != null) {
                counters = CatalogCodec.counters(key, value);
            } else if (key.equals(CatalogKeys.SETTINGS) && value != null) {
                settings = CatalogCodec.settings(key, value);
            } else if (key.equals(CatalogKeys.SELF) && value != null) {
                self = CatalogCodec.shard(key, value);
            } else if (key.startsWith(CatalogKeys.NODE)) {
                String name = key.substring(CatalogKeys.NODE.length());
                put(key, nodes, name, value == null ? null : CatalogCodec.node(key, value), CatalogNode::name);
            } else if (key.startsWith(CatalogKeys.SHARD)) {
                int id = (int) number(key, CatalogKeys.SHARD);
                put(key, shards, id, value == null ? null : CatalogCodec.shard(key, value), CatalogShard::id);
            } else if (key.startsWith(CatalogKeys.OPERATION)) {
                long id = number(key, CatalogKeys.OPERATION);
                put(key, running, id, value == null ? null : CatalogCodec.operation(key, value), CatalogOperation::id);
            } else if (key.startsWith(CatalogKeys.PAST)) {
                long id = number(key, CatalogKeys.PAST);
                put(key, past, id, value == null ? null : CatalogCodec.past(key, value), PastOperation::id);
            } else if (key.startsWith(CatalogKeys.GRAVE)) {
                int id = (int) number(key, CatalogKeys.GRAVE);
                put(key, graves, id, value == null ? null : CatalogCodec.grave(key, value), Grave::shard);
            } else {
                throw new IllegalArgumentException("the catalog has a record '" + key + "' that is not known");
            }
        }

        private static <K, V> void put(
                String key, SortedMap<K, V> map, K name, @Nullable V value, Function<V, K> nameOf) {
            if (value == null) {
                map.remove(name);
            } else if (nameOf.apply(value).equals(name)) {
                map.put(name, value);
            } else {
                throw new IllegalArgumentException(
                        "the catalog's record " + key + " says it is " + nameOf.apply(value));
            }
        }

        private static long number(String key, String prefix) {
            try {
                return Long.parseLong(key.substring(prefix.length()));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("the catalog has a record '" + key + "' without a number", e);
            }
        }
    }

    private CatalogState(Draft draft) {
        revision = draft.revision.revision();
        millis = draft.revision.millis();
        nodes = Collections.unmodifiableSortedMap(draft.nodes);
        shards = Collections.unmodifiableSortedMap(draft.shards);
        running = Collections.unmodifiableSortedMap(draft.running);
        graves = Collections.unmodifiableSortedMap(draft.graves);
        settings = draft.settings;
        self = draft.self;
        counters = draft.counters;
        List<PastOperation> ended = new ArrayList<>(draft.past.values());
        ended.sort(BY_END);
        past = List.copyOf(ended);
        if (revision > 0) {
            check();
        }
    }

    /**
     * The catalog that a cluster begins with, revision 1: a pure function of how it was formed, so that all initial members
     * have it without agreeing on it.
     */
    public static CatalogState initial(ClusterLayout layout) {
        Draft draft = new Draft();
        draft.revision = new CatalogCodec.Revision(1, 0);
        for (Member member : layout.initialMembers()) {
            draft.nodes.put(member.name(), CatalogNode.formed(member));
        }
        for (ShardPlacement shard : layout.placements()) {
            draft.shards.put(
                    shard.id(),
                    new CatalogShard(
                            shard.id(),
                            shard.epoch(),
                            shard.slots().get(0),
                            shard.preferredLeader(),
                            ShardStamps.NONE,
                            List.of()));
        }
        draft.settings = new CatalogSettings(layout.replicationFactor(), Automation.ALL, layout.shards());
        draft.counters = new CatalogCodec.Counters(layout.shards(), 1);
        return new CatalogState(draft);
    }

    /**
     * The catalog of these records.
     *
     * @param records by their keys, with {@link CatalogKeys#PREFIX}; none at all are {@link #EMPTY}
     * @throws IllegalArgumentException if one is damaged, or they contradict each other; the message says which and how
     */
    public static CatalogState of(Map<String, byte[]> records) {
        if (records.isEmpty()) {
            return EMPTY;
        }
        if (!records.containsKey(CatalogKeys.REVISION)) {
            throw new IllegalArgumentException("the catalog has records, but no revision");
        }
        Draft draft = new Draft();
        records.forEach(draft::put);
        return new CatalogState(draft);
    }

    /** The record of the revision, which is another one in every revision; null if nothing is known. */
    public byte @Nullable [] revisionRecord() {
        return revision == 0 ? null : CatalogCodec.encode(new CatalogCodec.Revision(revision, millis));
    }

    /** All records, by their keys. */
    public SortedMap<String, byte[]> records() {
        SortedMap<String, byte[]> records = new TreeMap<>();
        if (revision > 0) {
            for (CatalogDelta.Entry entry : since(EMPTY).entries()) {
                byte[] value = entry.value();
                if (value != null) {
                    records.put(entry.key(), value);
                }
            }
        }
        return records;
    }

    /**
     * What changed since an older revision of the same catalog; since {@link #EMPTY} it is everything.
     *
     * @throws IllegalArgumentException if the other one is not older
     */
    public CatalogDelta since(CatalogState older) {
        return CatalogDiff.between(older, this);
    }

    /**
     * The revision that a change leads to.
     *
     * @throws IllegalArgumentException if the change begins at another revision, a record of it is damaged, or what it
     *     leads to contradicts itself
     */
    public CatalogState apply(CatalogDelta delta) {
        if (delta.from() != revision) {
            throw new IllegalArgumentException(
                    "a change of revision " + delta.from() + " of the catalog, which is at " + revision);
        }
        Draft draft = new Draft();
        draft.revision = new CatalogCodec.Revision(revision, millis);
        draft.nodes = new TreeMap<>(nodes);
        draft.shards = new TreeMap<>(shards);
        draft.running = new TreeMap<>(running);
        past.forEach(one -> draft.past.put(one.id(), one));
        draft.graves = new TreeMap<>(graves);
        draft.settings = settings;
        draft.self = self;
        draft.counters = counters;
        delta.entries().forEach(entry -> draft.put(entry.key(), entry.value()));
        if (draft.revision.revision() != delta.to()) {
            throw new IllegalArgumentException("a change to revision " + delta.to()
                    + " of the catalog writes that it leads to " + draft.revision.revision());
        }
        return new CatalogState(draft);
    }

    /** To make a change of it. */
    CatalogEdit edit() {
        return new CatalogEdit(this);
    }

    private void check() {
        List<CatalogShard> inOrder = new ArrayList<>(shards.values());
        inOrder.sort(Comparator.comparingInt(shard -> shard.slots().first()));
        int next = 0;
        CatalogShard before = null;
        for (CatalogShard shard : inOrder) {
            if (shard.slots().first() < next && before != null) {
                throw new IllegalArgumentException("the catalog's shards " + before.id() + " and " + shard.id()
                        + " both own slot " + shard.slots().first());
            }
            if (shard.slots().first() > next) {
                throw new IllegalArgumentException("no shard of the catalog owns slot " + next);
            }
            if (shard.id() < 0 || shard.id() >= counters.nextShard()) {
                throw new IllegalArgumentException(
                        "the catalog has a shard " + shard.id() + ", and the next one is " + counters.nextShard());
            }
            next = shard.slots().last() + 1;
            before = shard;
        }
        if (next != KeySlot.COUNT) {
            throw new IllegalArgumentException("no shard of the catalog owns slot " + next);
        }
        for (long id : running.keySet()) {
            if (id < 1 || id >= counters.nextOperation()) {
                throw new IllegalArgumentException(
                        "the catalog has an operation " + id + ", and the next one is " + counters.nextOperation());
            }
        }
    }

    private static CatalogShard group(@Nullable String preferred) {
        return new CatalogShard(
                Catalog.GROUP, 1, new SlotRange(0, KeySlot.COUNT - 1), preferred, ShardStamps.NONE, List.of());
    }

    /** The revision: each change leads to the next one. */
    public long revision() {
        return revision;
    }

    /** When it was written, in milliseconds since 1970 by the clock of the driver; 0 for the first one. */
    public long millis() {
        return millis;
    }

    /** The nodes, by name. */
    public SortedMap<String, CatalogNode> nodes() {
        return nodes;
    }

    /** The shards, by number. */
    public SortedMap<Integer, CatalogShard> shards() {
        return shards;
    }

    /** The operations that have not ended, by number. */
    public SortedMap<Long, CatalogOperation> running() {
        return running;
    }

    /** The operations that ended last, the latest one last. */
    public List<PastOperation> past() {
        return past;
    }

    /** The shards that are no more, as far as replicas of them may be left, by number. */
    public SortedMap<Integer, Grave> graves() {
        return graves;
    }

    /** The settings. */
    public CatalogSettings settings() {
        return settings;
    }

    /** The catalog's own group, as if it were a shard: its preferred leader and its stamps. */
    public CatalogShard self() {
        return self;
    }

    /** The shard, or the catalog's own group, with this number; null if there is none. */
    public @Nullable CatalogShard group(int id) {
        return id == Catalog.GROUP ? self : shards.get(id);
    }

    /** The number that the next new shard gets. */
    public int nextShard() {
        return counters.nextShard();
    }

    /** The number that the next operation gets. */
    public long nextOperation() {
        return counters.nextOperation();
    }

    @Override
    public String toString() {
        return "catalog revision " + revision + ": " + nodes.size() + " nodes, " + shards.size() + " shards, "
                + running.size() + " operations";
    }
}
