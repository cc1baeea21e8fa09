package io.elastickv.embedded.internal.shard;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.ScanPosition;
import io.elastickv.embedded.internal.command.StoredValue;
import io.elastickv.embedded.internal.storage.EntryInfo;
import io.elastickv.embedded.internal.storage.ScanResult;
import io.elastickv.embedded.internal.storage.ShardStore;
import io.elastickv.embedded.internal.storage.Timed;
import io.elastickv.embedded.internal.storage.TimedValues;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Answers queries, beside the apply thread. A value is there if it has not expired at the log's time; if it has at the
 * time of the read, the answer is either {@link QueryResult.NeedsTime} or, where that need not be an event of the log,
 * that it is absent. Queries for keys and counts go by the log's time alone.
 */
final class QueryExecutor {

    /** In place of a time that the log needs: it needs none. */
    private static final long NO_TIME = 0;

    private final QueryResult wrongShard;
    private final SlotRanges owned;
    private final ShardStore store;
    private final LoadMeter meter;

    QueryExecutor(long epoch, SlotRanges owned, ShardStore store, LoadMeter meter) {
        this.wrongShard = new QueryResult.WrongShard(epoch);
        this.owned = owned;
        this.store = store;
        this.meter = meter;
    }

    QueryResult execute(Query query, long readTimeMillis, boolean deathsAreLogged) {
        if (query instanceof Query.Get get) {
            return get(get.key(), readTimeMillis, deathsAreLogged);
        }
        if (query instanceof Query.Describe describe) {
            return describe(describe.key(), readTimeMillis, deathsAreLogged);
        }
        if (query instanceof Query.GetMany many) {
            return getMany(many.keys(), readTimeMillis, deathsAreLogged);
        }
        if (query instanceof Query.Scan scan) {
            return scan(ScanPosition.ofCursor(scan.cursor()), scan.limit());
        }
        if (query instanceof Query.Size) {
            return new QueryResult.Count(store.size());
        }
        if (query instanceof Query.SlotSize size) {
            return owned.contains(size.slot()) ? new QueryResult.Count(store.sizeOfSlot(size.slot())) : wrongShard;
        }
        if (query instanceof Query.CountSlots count) {
            return count(count.first(), count.last());
        }
        if (query instanceof Query.SlotKeys keys) {
            return owned.contains(keys.slot())
                    ? new QueryResult.Keys(store.keysOfSlot(keys.slot(), keys.limit()))
                    : wrongShard;
        }
        byte[] key = store.randomKey(((Query.RandomKey) query).seed());
        return new QueryResult.Keys(key == null ? List.of() : List.of(key));
    }

    private QueryResult get(byte[] key, long readTimeMillis, boolean deathsAreLogged) {
        int slot = KeySlot.of(key);
        if (!owned.contains(slot)) {
            return wrongShard;
        }
        Timed<StoredValue> read = store.get(slot, key);
        StoredValue value = read.value();
        meter.read(slot, key, sizeOf(key, value));
        if (value == null || Timed.isExpired(value.expiresAtMillis(), read.logTimeMillis())) {
            return new QueryResult.Value(null);
        }
        if (Timed.isExpired(value.expiresAtMillis(), readTimeMillis)) {
            return deathsAreLogged ? new QueryResult.NeedsTime(value.expiresAtMillis()) : new QueryResult.Value(null);
        }
        return new QueryResult.Value(value);
    }

    private QueryResult describe(byte[] key, long readTimeMillis, boolean deathsAreLogged) {
        int slot = KeySlot.of(key);
        if (!owned.contains(slot)) {
            return wrongShard;
        }
        Timed<EntryInfo> read = store.describe(slot, key);
        EntryInfo entry = read.value();
        meter.read(slot, key, key.length);
        if (entry == null || Timed.isExpired(entry.expiresAtMillis(), read.logTimeMillis())) {
            return new QueryResult.Described(false, 0, 0, 0, 0);
        }
        if (Timed.isExpired(entry.expiresAtMillis(), readTimeMillis)) {
            return deathsAreLogged
                    ? new QueryResult.NeedsTime(entry.expiresAtMillis())
                    : new QueryResult.Described(false, 0, 0, 0, 0);
        }
        long timeToLiveMillis = entry.expiresAtMillis() == 0
                ? 0
                : entry.expiresAtMillis() - Math.max(readTimeMillis, read.logTimeMillis());
        return new QueryResult.Described(
                true, entry.version(), entry.valueLength(), entry.expiresAtMillis(), timeToLiveMillis);
    }

    private QueryResult getMany(List<byte[]> keys, long readTimeMillis, boolean deathsAreLogged) {
        boolean oneSlot = true;
        for (byte[] key : keys) {
            int slot = KeySlot.of(key);
            if (!owned.contains(slot)) {
                return wrongShard;
            }
            oneSlot &= slot == KeySlot.of(keys.get(0));
        }
        List<@Nullable StoredValue> values = new ArrayList<>(keys.size());
        long neededMillis = NO_TIME;
        if (oneSlot && !keys.isEmpty()) {
            int slot = KeySlot.of(keys.get(0));
            TimedValues read = store.getAll(slot, keys);
            for (int i = 0; i < keys.size(); i++) {
                StoredValue value = read.values().get(i);
                meter.read(slot, keys.get(i), sizeOf(keys.get(i), value));
                neededMillis = Math.max(neededMillis, add(value, read.logTimeMillis(), readTimeMillis, values));
            }
        } else {
            for (byte[] key : keys) {
                int slot = KeySlot.of(key);
                Timed<StoredValue> read = store.get(slot, key);
                meter.read(slot, key, sizeOf(key, read.value()));
                neededMillis = Math.max(neededMillis, add(read.value(), read.logTimeMillis(), readTimeMillis, values));
            }
        }
        return deathsAreLogged && neededMillis != NO_TIME
                ? new QueryResult.NeedsTime(neededMillis)
                : new QueryResult.Values(values, oneSlot);
    }

    private static int sizeOf(byte[] key, @Nullable StoredValue value) {
        return key.length + (value == null ? 0 : value.value().length);
    }

    private static long sizeOf(List<byte[]> keys) {
        long bytes = 0;
        for (byte[] key : keys) {
            bytes += key.length;
        }
        return bytes;
    }

    /** Adds what is alive, null otherwise; returns the time that the log needs for that to be so, or {@link #NO_TIME}. */
    private static long add(
            @Nullable StoredValue value, long logTimeMillis, long readTimeMillis, List<@Nullable StoredValue> values) {
        if (value == null || Timed.isExpired(value.expiresAtMillis(), logTimeMillis)) {
            values.add(null);
            return NO_TIME;
        }
        if (Timed.isExpired(value.expiresAtMillis(), readTimeMillis)) {
            values.add(null);
            return value.expiresAtMillis();
        }
        values.add(value);
        return NO_TIME;
    }

    private QueryResult count(int first, int last) {
        if (!owned.contains(first)) {
            return wrongShard;
        }
        int end = Math.min(last, owned.endOfRun(first));
        return new QueryResult.Counted(store.sizeOfSlots(first, end), end);
    }

    private QueryResult scan(ScanPosition from, int limit) {
        if (!owned.contains(from.slot())) {
            return wrongShard;
        }
        int behindRun = owned.endOfRun(from.slot()) + 1;
        ScanResult found = store.scan(from.order(), ScanPosition.order(behindRun, 0), from.scanId(), limit);
        meter.scanned(from.slot(), sizeOf(found.keys()));
        int slot = (int) (found.nextOrder() >>> 32);
        long next = slot == ScanPosition.SLOTS
                ? 0
                : new ScanPosition(slot, (int) found.nextOrder(), from.scanId()).toCursor();
        return new QueryResult.Page(found.keys(), next);
    }
}
