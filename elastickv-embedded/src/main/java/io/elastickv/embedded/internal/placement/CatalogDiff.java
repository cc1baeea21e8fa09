package io.elastickv.embedded.internal.placement;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/** What changed between two revisions of the catalog, as records. */
final class CatalogDiff {

    private final List<CatalogDelta.Entry> entries = new ArrayList<>();

    private CatalogDiff() {}

    static CatalogDelta between(CatalogState older, CatalogState newer) {
        CatalogDiff diff = new CatalogDiff();
        boolean whole = older.revision() == 0;
        diff.put(
                CatalogKeys.REVISION, CatalogCodec.encode(new CatalogCodec.Revision(newer.revision(), newer.millis())));
        if (whole || !older.settings().equals(newer.settings())) {
            diff.put(CatalogKeys.SETTINGS, CatalogCodec.encode(newer.settings()));
        }
        if (whole || older.nextShard() != newer.nextShard() || older.nextOperation() != newer.nextOperation()) {
            diff.put(
                    CatalogKeys.COUNTERS,
                    CatalogCodec.encode(new CatalogCodec.Counters(newer.nextShard(), newer.nextOperation())));
        }
        if (whole || !older.self().equals(newer.self())) {
            diff.put(CatalogKeys.SELF, CatalogCodec.encode(newer.self()));
        }
        diff.maps(older.nodes(), newer.nodes(), CatalogKeys::node, CatalogCodec::encode);
        diff.maps(older.shards(), newer.shards(), CatalogKeys::shard, CatalogCodec::encode);
        diff.maps(older.running(), newer.running(), CatalogKeys::operation, CatalogCodec::encode);
        diff.maps(older.graves(), newer.graves(), CatalogKeys::grave, CatalogCodec::encode);
        diff.maps(byId(older.past()), byId(newer.past()), CatalogKeys::past, CatalogCodec::encode);
        return new CatalogDelta(older.revision(), newer.revision(), diff.entries);
    }

    private static SortedMap<Long, PastOperation> byId(List<PastOperation> past) {
        SortedMap<Long, PastOperation> map = new TreeMap<>();
        past.forEach(one -> map.put(one.id(), one));
        return map;
    }

    private <K, V> void maps(Map<K, V> older, Map<K, V> newer, Function<K, String> key, Function<V, byte[]> bytes) {
        for (K name : older.keySet()) {
            if (!newer.containsKey(name)) {
                entries.add(new CatalogDelta.Entry(key.apply(name), null));
            }
        }
        newer.forEach((name, value) -> {
            if (!value.equals(older.get(name))) {
                put(key.apply(name), bytes.apply(value));
            }
        });
    }

    private void put(String key, byte[] value) {
        entries.add(new CatalogDelta.Entry(key, value));
    }
}
