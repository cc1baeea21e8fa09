package io.elastickv.embedded.internal.placement;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A change of the catalog while it is being put together, from one revision to the next. Not thread-safe. */
final class CatalogEdit {

    private final CatalogState from;
    private final Map<String, @Nullable CatalogNode> nodes = new TreeMap<>();
    private final Map<Integer, @Nullable CatalogShard> shards = new TreeMap<>();
    private final Map<Long, @Nullable CatalogOperation> running = new TreeMap<>();
    private final Map<Integer, @Nullable Grave> graves = new TreeMap<>();
    private final List<PastOperation> ended = new ArrayList<>();
    private CatalogSettings settings;
    private int nextShard;
    private long nextOperation;

    CatalogEdit(CatalogState from) {
        this.from = from;
        this.settings = from.settings();
        this.nextShard = from.nextShard();
        this.nextOperation = from.nextOperation();
    }

    @Nullable
    CatalogNode node(String name) {
        return nodes.containsKey(name) ? nodes.get(name) : from.nodes().get(name);
    }

    /** The shard, or the catalog's own group, as it is with what was changed so far. */
    @Nullable
    CatalogShard group(int id) {
        return shards.containsKey(id) ? shards.get(id) : from.group(id);
    }

    @Nullable
    CatalogOperation operation(long id) {
        return running.containsKey(id) ? running.get(id) : from.running().get(id);
    }

    CatalogEdit put(CatalogNode node) {
        nodes.put(node.name(), node);
        return this;
    }

    CatalogEdit removeNode(String name) {
        nodes.put(name, null);
        return this;
    }

    CatalogEdit put(CatalogShard shard) {
        shards.put(shard.id(), shard);
        return this;
    }

    CatalogEdit removeShard(int id) {
        shards.put(id, null);
        return this;
    }

    CatalogEdit put(CatalogOperation operation) {
        running.put(operation.id(), operation);
        return this;
    }

    CatalogEdit end(PastOperation past) {
        running.put(past.id(), null);
        ended.add(past);
        return this;
    }

    CatalogEdit put(Grave grave) {
        graves.put(grave.shard(), grave.nodes().isEmpty() ? null : grave);
        return this;
    }

    CatalogEdit put(CatalogSettings other) {
        settings = other;
        return this;
    }

    /** A number for a new shard. */
    int takeShard() {
        return nextShard++;
    }

    /** A number for a new operation. */
    long takeOperation() {
        return nextOperation++;
    }

    /** Whether nothing was changed. */
    boolean isEmpty() {
        return nodes.isEmpty()
                && shards.isEmpty()
                && running.isEmpty()
                && graves.isEmpty()
                && ended.isEmpty()
                && settings.equals(from.settings())
                && nextShard == from.nextShard()
                && nextOperation == from.nextOperation();
    }

    /**
     * The change, from the revision that this was begun with to the next one. Whoever applies it checks what it leads to.
     *
     * @param millis the time, in milliseconds since 1970
     */
    CatalogDelta toDelta(long millis) {
        List<CatalogDelta.Entry> entries = new ArrayList<>();
        long to = from.revision() + 1;
        entries.add(entry(CatalogKeys.REVISION, CatalogCodec.encode(new CatalogCodec.Revision(to, millis))));
        if (!settings.equals(from.settings())) {
            entries.add(entry(CatalogKeys.SETTINGS, CatalogCodec.encode(settings)));
        }
        if (nextShard != from.nextShard() || nextOperation != from.nextOperation()) {
            entries.add(entry(
                    CatalogKeys.COUNTERS, CatalogCodec.encode(new CatalogCodec.Counters(nextShard, nextOperation))));
        }
        nodes.forEach((name, node) ->
                entries.add(entry(CatalogKeys.node(name), node == null ? null : CatalogCodec.encode(node))));
        shards.forEach((id, shard) -> entries.add(entry(
                id == Catalog.GROUP ? CatalogKeys.SELF : CatalogKeys.shard(id),
                shard == null ? null : CatalogCodec.encode(shard))));
        running.forEach((id, operation) -> entries.add(
                entry(CatalogKeys.operation(id), operation == null ? null : CatalogCodec.encode(operation))));
        graves.forEach((shard, grave) ->
                entries.add(entry(CatalogKeys.grave(shard), grave == null ? null : CatalogCodec.encode(grave))));
        for (PastOperation past : ended) {
            entries.add(entry(CatalogKeys.past(past.id()), CatalogCodec.encode(past)));
        }
        forgetOldest(entries);
        return new CatalogDelta(from.revision(), to, entries);
    }

    private void forgetOldest(List<CatalogDelta.Entry> entries) {
        List<PastOperation> all = new ArrayList<>(from.past());
        int surplus = Math.min(all.size(), all.size() + ended.size() - CatalogState.MAX_PAST);
        for (int i = 0; i < surplus; i++) {
            entries.add(entry(CatalogKeys.past(all.get(i).id()), null));
        }
    }

    private static CatalogDelta.Entry entry(String key, byte @Nullable [] value) {
        return new CatalogDelta.Entry(key, value);
    }
}
