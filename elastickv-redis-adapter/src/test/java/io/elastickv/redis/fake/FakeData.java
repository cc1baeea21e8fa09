package io.elastickv.redis.fake;

import io.elastickv.api.Batch;
import io.elastickv.api.BatchResult;
import io.elastickv.api.Bytes;
import io.elastickv.api.Condition;
import io.elastickv.api.Expiry;
import io.elastickv.api.ExpiryCondition;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.InvalidRequestException.Reason;
import io.elastickv.api.KeyInfo;
import io.elastickv.api.KeySlot;
import io.elastickv.api.Limits;
import io.elastickv.api.PutOptions;
import io.elastickv.api.ScanCursor;
import io.elastickv.api.ScanPage;
import io.elastickv.api.VersionedValue;
import io.elastickv.api.WriteResult;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;

/** A store in memory with the semantics that the API promises; each method is one atomic step. */
final class FakeData {

    private record Entry(Bytes value, long version, long expiresAtMillis) {}

    /** Before all times; later than all of them where expiries are compared. */
    private static final long NEVER = Long.MIN_VALUE;

    private final InstantSource clock;
    private final Map<Bytes, Entry> entries = new HashMap<>();
    /** Keys by slot; a scan goes slot by slot. */
    private final TreeMap<Integer, NavigableSet<Bytes>> slots = new TreeMap<>();

    private final Random random = new Random(1);
    private long version;

    FakeData(InstantSource clock) {
        this.clock = clock;
    }

    private static void checkKey(Bytes key) {
        if (key.isEmpty() || key.length() > Limits.MAX_KEY_BYTES) {
            throw new InvalidRequestException(Reason.INVALID_ARGUMENT, "key length = " + key.length());
        }
    }

    private boolean past(long expiresAtMillis) {
        return expiresAtMillis != NEVER && expiresAtMillis <= clock.millis();
    }

    private Entry find(Bytes key) {
        checkKey(key);
        Entry entry = entries.get(key);
        if (entry != null && past(entry.expiresAtMillis)) {
            drop(key);
            return null;
        }
        return entry;
    }

    private void drop(Bytes key) {
        entries.remove(key);
        NavigableSet<Bytes> keys = slots.get(KeySlot.of(key));
        if (keys != null && keys.remove(key) && keys.isEmpty()) {
            slots.remove(KeySlot.of(key));
        }
    }

    private long store(Bytes key, Bytes value, long expiresAtMillis) {
        if (value.length() > Limits.MAX_VALUE_BYTES) {
            throw new InvalidRequestException(Reason.INVALID_ARGUMENT, "value length = " + value.length());
        }
        if (past(expiresAtMillis)) {
            drop(key);
            return 0;
        }
        version++;
        entries.put(key, new Entry(value, version, expiresAtMillis));
        slots.computeIfAbsent(KeySlot.of(key), slot -> new TreeSet<>()).add(key);
        return version;
    }

    private static VersionedValue versioned(Entry entry) {
        return new VersionedValue(entry.value, entry.version, expiry(entry));
    }

    private static Optional<Instant> expiry(Entry entry) {
        return entry.expiresAtMillis == NEVER
                ? Optional.empty()
                : Optional.of(Instant.ofEpochMilli(entry.expiresAtMillis));
    }

    private long time(Expiry expiry, Entry present) {
        if (expiry instanceof Expiry.After after) {
            long millis = after.duration().toMillis();
            return millis > Long.MAX_VALUE - clock.millis() ? Long.MAX_VALUE : clock.millis() + millis;
        }
        if (expiry instanceof Expiry.At at) {
            return at.instant().toEpochMilli();
        }
        return expiry instanceof Expiry.Keep && present != null ? present.expiresAtMillis : NEVER;
    }

    private static boolean holds(Condition condition, Entry entry) {
        if (condition instanceof Condition.Absent) {
            return entry == null;
        }
        if (condition instanceof Condition.Present) {
            return entry != null;
        }
        if (condition instanceof Condition.VersionIs is) {
            return entry != null && entry.version == is.version();
        }
        if (condition instanceof Condition.ValueIs is) {
            return entry != null && entry.value.equals(is.value());
        }
        return true;
    }

    synchronized Optional<VersionedValue> get(Bytes key) {
        return Optional.ofNullable(find(key)).map(FakeData::versioned);
    }

    synchronized Optional<KeyInfo> describe(Bytes key) {
        return Optional.ofNullable(find(key))
                .map(entry -> new KeyInfo(
                        entry.version,
                        entry.value.length(),
                        expiry(entry),
                        expiry(entry).map(at -> Duration.ofMillis(at.toEpochMilli() - clock.millis()))));
    }

    synchronized WriteResult put(Bytes key, Bytes value, PutOptions options) {
        Entry present = find(key);
        Optional<VersionedValue> previous =
                options.returnsPrevious() ? Optional.ofNullable(present).map(FakeData::versioned) : Optional.empty();
        if (!holds(options.condition(), present)) {
            return new WriteResult(false, present == null ? 0 : present.version, previous);
        }
        return new WriteResult(true, store(key, value, time(options.expiry(), present)), previous);
    }

    synchronized WriteResult delete(Bytes key, Condition condition) {
        Entry present = find(key);
        if (present == null || !holds(condition, present)) {
            return new WriteResult(false, present == null ? 0 : present.version, Optional.empty());
        }
        version++;
        drop(key);
        return new WriteResult(true, 0, Optional.empty());
    }

    synchronized Optional<VersionedValue> getAndDelete(Bytes key) {
        Optional<VersionedValue> found = get(key);
        delete(key, Condition.always());
        return found;
    }

    synchronized long increment(Bytes key, long delta) {
        Entry present = find(key);
        long value = 0;
        if (present != null) {
            String text = present.value.toUtf8();
            if (!text.matches("0|-?[1-9][0-9]{0,18}")) {
                throw new InvalidRequestException(Reason.NOT_AN_INTEGER, "not an integer");
            }
            try {
                value = Long.parseLong(text);
            } catch (NumberFormatException e) {
                throw new InvalidRequestException(Reason.NOT_AN_INTEGER, "not an integer");
            }
        }
        long sum;
        try {
            sum = Math.addExact(value, delta);
        } catch (ArithmeticException e) {
            throw new InvalidRequestException(Reason.INTEGER_OVERFLOW, "overflow");
        }
        store(key, Bytes.utf8(Long.toString(sum)), present == null ? NEVER : present.expiresAtMillis);
        return sum;
    }

    synchronized boolean expire(Bytes key, Expiry expiry, ExpiryCondition condition) {
        Entry present = find(key);
        if (present == null) {
            return false;
        }
        long at = time(expiry, present);
        boolean holds = switch (condition) {
            case ALWAYS -> true;
            case IF_NONE -> present.expiresAtMillis == NEVER;
            case IF_ANY -> present.expiresAtMillis != NEVER;
            case IF_LATER -> present.expiresAtMillis != NEVER && at > present.expiresAtMillis;
            case IF_EARLIER -> present.expiresAtMillis == NEVER || at < present.expiresAtMillis;
        };
        if (!holds) {
            return false;
        }
        if (past(at)) {
            drop(key);
        } else {
            entries.put(key, new Entry(present.value, present.version, at));
        }
        return true;
    }

    synchronized boolean persist(Bytes key) {
        Entry present = find(key);
        if (present == null || present.expiresAtMillis == NEVER) {
            return false;
        }
        entries.put(key, new Entry(present.value, present.version, NEVER));
        return true;
    }

    synchronized BatchResult execute(Batch batch) {
        List<Bytes> keys = new ArrayList<>();
        batch.requirements().forEach(requirement -> keys.add(requirement.key()));
        batch.steps().forEach(step -> keys.add(step.key()));
        for (Bytes key : keys) {
            if (KeySlot.of(key) != KeySlot.of(keys.get(0))) {
                throw new InvalidRequestException(Reason.CROSS_SLOT, "cross slot");
            }
        }
        for (Batch.Requirement requirement : batch.requirements()) {
            if (!holds(requirement.condition(), find(requirement.key()))) {
                return new BatchResult(false, List.of());
            }
        }
        List<WriteResult> results = new ArrayList<>();
        for (Batch.Step step : batch.steps()) {
            if (step instanceof Batch.Get get) {
                Optional<VersionedValue> found = get(get.key());
                results.add(new WriteResult(
                        found.isPresent(), found.map(VersionedValue::version).orElse(0L), found));
            } else if (step instanceof Batch.Put put) {
                results.add(put(put.key(), put.value(), put.options()));
            } else if (step instanceof Batch.Delete delete) {
                results.add(delete(delete.key(), Condition.always()));
            } else if (step instanceof Batch.Expire expire) {
                boolean done = expire(expire.key(), expire.expiry(), ExpiryCondition.ALWAYS);
                results.add(new WriteResult(done, 0, Optional.empty()));
            }
        }
        return new BatchResult(true, results);
    }

    /** The cursor is the slot to go on with; a slot is never divided. */
    synchronized ScanPage scan(ScanCursor cursor, int limit) {
        if (limit < 1 || limit > 10_000) {
            throw new InvalidRequestException(Reason.INVALID_ARGUMENT, "limit = " + limit);
        }
        List<Bytes> keys = new ArrayList<>();
        for (Map.Entry<Integer, NavigableSet<Bytes>> slot :
                new TreeMap<>(slots.tailMap((int) Math.min(cursor.value(), KeySlot.COUNT))).entrySet()) {
            if (keys.size() >= limit) {
                return new ScanPage(List.copyOf(keys), new ScanCursor(slot.getKey()));
            }
            for (Bytes key : List.copyOf(slot.getValue())) {
                if (find(key) != null) {
                    keys.add(key);
                }
            }
        }
        return new ScanPage(List.copyOf(keys), ScanCursor.START);
    }

    synchronized List<Bytes> keysOfSlot(int slot) {
        return List.copyOf(slots.getOrDefault(slot, new TreeSet<>())).stream()
                .filter(key -> find(key) != null)
                .toList();
    }

    synchronized long size() {
        List.copyOf(entries.keySet()).forEach(this::find);
        return entries.size();
    }

    synchronized Optional<Bytes> randomKey() {
        if (size() == 0) {
            return Optional.empty();
        }
        List<Integer> used = List.copyOf(slots.keySet());
        return Optional.of(slots.get(used.get(random.nextInt(used.size()))).first());
    }

    synchronized void clear() {
        entries.clear();
        slots.clear();
    }
}
