package io.elastickv.embedded.internal.shard;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.Command.AtomicBatch;
import io.elastickv.embedded.internal.command.Command.Delete;
import io.elastickv.embedded.internal.command.Command.Expire;
import io.elastickv.embedded.internal.command.Command.Increment;
import io.elastickv.embedded.internal.command.Command.Put;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.CommandResult.BatchDone;
import io.elastickv.embedded.internal.command.CommandResult.Count;
import io.elastickv.embedded.internal.command.CommandResult.Written;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.ExpiryRule;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.StoredValue;
import io.elastickv.embedded.internal.storage.EntryInfo;
import io.elastickv.embedded.internal.storage.ShardStore;
import io.elastickv.embedded.internal.storage.Timed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What each command does to the store. An entry whose expiry time has come is treated as absent and removed when met.
 * The result must not depend on whether such an entry is still there: only on the log.
 */
final class CommandExecutor {

    private static final CommandResult DONE = new CommandResult.Done();
    private static final CommandResult CROSS_SLOT = new CommandResult.CrossSlot();
    private static final CommandResult NOT_AN_INTEGER = new CommandResult.NotAnInteger();
    private static final CommandResult OVERFLOW = new CommandResult.Overflow();
    private static final CommandResult EXPIRY_CHANGED = new CommandResult.Expired(true);
    private static final CommandResult EXPIRY_UNCHANGED = new CommandResult.Expired(false);

    /** No time is expired already: the writer deletes instead. */
    private static final long EXPIRED_ALREADY = -1;

    private final CommandResult wrongShard;
    private final SlotRanges owned;
    private final ShardStore store;
    private final LoadMeter meter;

    CommandExecutor(long epoch, SlotRanges owned, ShardStore store, LoadMeter meter) {
        this.wrongShard = new CommandResult.WrongShard(epoch);
        this.owned = owned;
        this.store = store;
        this.meter = meter;
    }

    /**
     * Executes.
     *
     * @param version of what it writes
     * @param now the log's time
     */
    CommandResult execute(long version, long now, Command command) {
        long index = version;
        if (command instanceof Put put) {
            return onSlot(put.key(), slot -> put(index, now, slot, put));
        }
        if (command instanceof Delete delete) {
            return onSlot(delete.key(), slot -> delete(now, slot, delete));
        }
        if (command instanceof Increment increment) {
            return onSlot(increment.key(), slot -> increment(index, now, slot, increment));
        }
        if (command instanceof Expire expire) {
            return onSlot(expire.key(), slot -> expire(now, slot, expire) ? EXPIRY_CHANGED : EXPIRY_UNCHANGED);
        }
        if (command instanceof Command.PutAll putAll) {
            return onSlotOfAll(putAll.keys(), slot -> {
                for (int i = 0; i < putAll.keys().size(); i++) {
                    store.put(slot, putAll.keys().get(i), putAll.values().get(i), index, 0);
                }
                return new Count(putAll.keys().size());
            });
        }
        if (command instanceof Command.DeleteAll deleteAll) {
            return onSlotOfAll(deleteAll.keys(), slot -> {
                long existed = 0;
                for (byte[] key : deleteAll.keys()) {
                    existed += existed(store.remove(slot, key), now) ? 1 : 0;
                }
                return new Count(existed);
            });
        }
        if (command instanceof AtomicBatch batch) {
            return onSlotOfAll(keysOf(batch), slot -> batch(index, now, slot, batch));
        }
        if (command instanceof Command.EvictExpired evict) {
            return evict(now, evict.keys());
        }
        if (command instanceof Command.Clear) {
            store.clear();
            return DONE;
        }
        if (command instanceof Command.ClearAround clear) {
            if (!owned.contains(clear.slot())) {
                return wrongShard;
            }
            store.clear();
            return new CommandResult.Cleared(owned.startOfRun(clear.slot()), owned.endOfRun(clear.slot()));
        }
        throw new IllegalStateException("no command of a state: " + command.getClass());
    }

    private interface SlotAction {
        CommandResult run(int slot);
    }

    private CommandResult onSlot(byte[] key, SlotAction action) {
        int slot = KeySlot.of(key);
        if (!owned.contains(slot)) {
            return wrongShard;
        }
        meter.wrote(slot, key);
        return bracket(slot, action);
    }

    /** No keys are no slot: the action runs on any. */
    private CommandResult onSlotOfAll(List<byte[]> keys, SlotAction action) {
        if (owned.isEmpty()) {
            return wrongShard;
        }
        int slot = keys.isEmpty() ? owned.first() : KeySlot.of(keys.get(0));
        for (byte[] key : keys) {
            int other = KeySlot.of(key);
            if (!owned.contains(other)) {
                return wrongShard;
            }
            if (other != slot) {
                return CROSS_SLOT;
            }
        }
        meter.wrote(slot, keys);
        return bracket(slot, action);
    }

    /** If the action throws, the bracket stays open on purpose: readers must not see the half of it. */
    private CommandResult bracket(int slot, SlotAction action) {
        store.beginWrite(slot);
        CommandResult result = action.run(slot);
        store.endWrite(slot);
        return result;
    }

    private Written put(long index, long now, int slot, Put put) {
        if (put.condition() instanceof Precondition.Always
                && !put.returnPrevious()
                && !(put.expiry() instanceof ExpiryChange.Keep)) {
            return write(index, slot, put, expiryTime(put.expiry(), 0, now), null);
        }
        StoredValue previous = null;
        EntryInfo present;
        if (put.returnPrevious() || put.condition() instanceof Precondition.ValueIs) {
            previous = alive(store.peek(slot, put.key()), now);
            present = infoOf(previous);
        } else {
            present = alive(store.peekInfo(slot, put.key()), now);
        }
        StoredValue returned = put.returnPrevious() ? previous : null;
        if (!holds(put.condition(), present, previous)) {
            return new Written(false, present == null ? 0 : present.version(), returned);
        }
        long oldExpiry = present == null ? 0 : present.expiresAtMillis();
        return write(index, slot, put, expiryTime(put.expiry(), oldExpiry, now), returned);
    }

    private Written write(long index, int slot, Put put, long expiresAtMillis, @Nullable StoredValue previous) {
        if (expiresAtMillis == EXPIRED_ALREADY) {
            store.remove(slot, put.key());
            return new Written(true, 0, previous);
        }
        store.put(slot, put.key(), put.value(), index, expiresAtMillis);
        return new Written(true, index, previous);
    }

    private Written delete(long now, int slot, Delete delete) {
        if (delete.condition() instanceof Precondition.Always && !delete.returnPrevious()) {
            return new Written(existed(store.remove(slot, delete.key()), now), 0, null);
        }
        StoredValue previous = null;
        EntryInfo present;
        if (delete.returnPrevious() || delete.condition() instanceof Precondition.ValueIs) {
            previous = alive(store.peek(slot, delete.key()), now);
            present = infoOf(previous);
        } else {
            present = alive(store.peekInfo(slot, delete.key()), now);
        }
        StoredValue returned = delete.returnPrevious() ? previous : null;
        if (present == null) {
            store.remove(slot, delete.key());
            return new Written(false, 0, null);
        }
        if (!holds(delete.condition(), present, previous)) {
            return new Written(false, present.version(), returned);
        }
        store.remove(slot, delete.key());
        return new Written(true, 0, returned);
    }

    private CommandResult increment(long index, long now, int slot, Increment increment) {
        StoredValue present = alive(store.peek(slot, increment.key()), now);
        long value;
        try {
            value = present == null ? 0 : DecimalIntegers.parse(present.value());
        } catch (DecimalIntegers.NotAnIntegerException e) {
            return NOT_AN_INTEGER;
        }
        long sum = value + increment.delta();
        if (((value ^ sum) & (increment.delta() ^ sum)) < 0) {
            return OVERFLOW;
        }
        store.put(
                slot,
                increment.key(),
                DecimalIntegers.format(sum),
                index,
                present == null ? 0 : present.expiresAtMillis());
        return new CommandResult.Incremented(sum);
    }

    private boolean expire(long now, int slot, Expire expire) {
        EntryInfo present = alive(store.peekInfo(slot, expire.key()), now);
        if (present == null) {
            return false;
        }
        long old = present.expiresAtMillis();
        long changed = expiryTime(expire.expiry(), old, now);
        if (!holds(expire.rule(), old, changed)) {
            return false;
        }
        if (changed == EXPIRED_ALREADY) {
            store.remove(slot, expire.key());
        } else if (changed != old) {
            store.setExpiry(slot, expire.key(), changed);
        }
        return true;
    }

    private BatchDone batch(long index, long now, int slot, AtomicBatch batch) {
        for (Command.Requirement requirement : batch.requirements()) {
            StoredValue value = null;
            EntryInfo present;
            if (requirement.condition() instanceof Precondition.ValueIs) {
                value = alive(store.peek(slot, requirement.key()), now);
                present = infoOf(value);
            } else {
                present = alive(store.peekInfo(slot, requirement.key()), now);
            }
            if (!holds(requirement.condition(), present, value)) {
                return new BatchDone(false, List.of());
            }
        }
        List<Written> results = new ArrayList<>(batch.steps().size());
        for (Command.Step step : batch.steps()) {
            if (step instanceof Put put) {
                results.add(put(index, now, slot, put));
            } else if (step instanceof Delete delete) {
                results.add(delete(now, slot, delete));
            } else if (step instanceof Expire expire) {
                boolean applied = expire(now, slot, expire);
                EntryInfo present = alive(store.peekInfo(slot, expire.key()), now);
                results.add(new Written(applied, present == null ? 0 : present.version(), null));
            } else {
                StoredValue value = alive(store.peek(slot, step.key()), now);
                results.add(new Written(value != null, value == null ? 0 : value.version(), value));
            }
        }
        return new BatchDone(true, results);
    }

    private Count evict(long now, List<byte[]> keys) {
        long evicted = 0;
        for (byte[] key : keys) {
            int slot = KeySlot.of(key);
            if (!owned.contains(slot)) {
                continue;
            }
            EntryInfo present = store.peekInfo(slot, key);
            if (present != null && Timed.isExpired(present.expiresAtMillis(), now)) {
                store.beginWrite(slot);
                store.remove(slot, key);
                store.endWrite(slot);
                evicted++;
            }
        }
        return new Count(evicted);
    }

    /** The time at which a key expires after a change: 0 for never, or {@link #EXPIRED_ALREADY}. */
    private static long expiryTime(ExpiryChange change, long old, long now) {
        if (change instanceof ExpiryChange.Never) {
            return 0;
        }
        if (change instanceof ExpiryChange.Keep) {
            return old;
        }
        if (change instanceof ExpiryChange.After after) {
            long time = now + after.millis();
            return time < 0 ? Long.MAX_VALUE : time;
        }
        long time = ((ExpiryChange.At) change).epochMillis();
        return time <= now ? EXPIRED_ALREADY : time;
    }

    private static boolean holds(ExpiryRule rule, long old, long changed) {
        return switch (rule) {
            case ALWAYS -> true;
            case IF_NONE -> old == 0;
            case IF_ANY -> old != 0;
            case IF_LATER -> old != 0 && (changed == 0 || changed > old);
            case IF_EARLIER -> changed != 0 && (old == 0 || changed < old);
        };
    }

    /** {@code value} is needed for {@link Precondition.ValueIs} only. */
    private static boolean holds(Precondition condition, @Nullable EntryInfo present, @Nullable StoredValue value) {
        if (condition instanceof Precondition.Always) {
            return true;
        }
        if (condition instanceof Precondition.Absent) {
            return present == null;
        }
        if (condition instanceof Precondition.Present) {
            return present != null;
        }
        if (condition instanceof Precondition.VersionIs is) {
            return present != null && present.version() == is.version();
        }
        return value != null && Arrays.equals(value.value(), ((Precondition.ValueIs) condition).value());
    }

    private static @Nullable StoredValue alive(@Nullable StoredValue value, long now) {
        return value == null || Timed.isExpired(value.expiresAtMillis(), now) ? null : value;
    }

    private static @Nullable EntryInfo alive(@Nullable EntryInfo entry, long now) {
        return entry == null || Timed.isExpired(entry.expiresAtMillis(), now) ? null : entry;
    }

    private static @Nullable EntryInfo infoOf(@Nullable StoredValue value) {
        return value == null ? null : new EntryInfo(value.version(), value.expiresAtMillis(), value.value().length);
    }

    private static boolean existed(long expiresAtMillis, long now) {
        return expiresAtMillis != ShardStore.ABSENT && !Timed.isExpired(expiresAtMillis, now);
    }

    private static List<byte[]> keysOf(AtomicBatch batch) {
        List<byte[]> keys =
                new ArrayList<>(batch.requirements().size() + batch.steps().size());
        batch.requirements().forEach(requirement -> keys.add(requirement.key()));
        batch.steps().forEach(step -> keys.add(step.key()));
        return keys;
    }
}
