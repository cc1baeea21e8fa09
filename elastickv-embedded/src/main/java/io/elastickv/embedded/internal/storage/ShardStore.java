package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.command.StoredValue;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The entries of one shard's replica: a list of buckets of consecutive slots, made on their first write.
 *
 * <p>The methods of the first part are for the apply thread alone; those of the second are for any number of other
 * threads beside it. What such a thread reads of one slot is the state between two commands: the apply thread brackets
 * every change with {@link #beginWrite} and {@link #endWrite}.
 *
 * <p>Entries that are expired are entries like any others here; the log's time is kept here only so that it can be read
 * together with an entry.
 */
public final class ShardStore implements AutoCloseable {

    /** Returned in place of an expiry time: there was no such key. */
    public static final long ABSENT = Bucket.ABSENT;

    private static final long CLOSE_TIMEOUT_NANOS = 5_000_000_000L;
    private static final int TORN_ATTEMPTS = 4;

    /** Each command moves so many entries after a split: 10 us more while that lasts. */
    private static final int ENTRIES_PER_COMMAND = 8;

    private final StorageEngine engine;
    private final StorageOptions options;
    private final int firstSlot;
    /** Changed by the apply thread only. */
    private volatile int lastSlot;

    private final int bucketShift;
    private final ToIntFunction<byte[]> slotOf;
    private final AtomicReferenceArray<@Nullable BucketHolder> buckets;
    private final AtomicIntegerArray keysOfSlot;
    private final AtomicLong keys = new AtomicLong();
    private final AtomicLong logTimeMillis = new AtomicLong();
    private final SlotStamps stamps;
    private final ReaderGate gate;
    private final ReentrantLock collecting = new ReentrantLock();
    private final KeyScanner scanner;
    private boolean closed;
    // Of the apply thread:
    private long commandIndex;
    private @Nullable CaptureKeeper capture;
    /** Of captures of other stores, in the midst of which buckets passed to this one. */
    private final List<CaptureKeeper> inherited = new ArrayList<>(0);

    private final List<Dividing> dividing = new ArrayList<>(0);

    /** A bucket whose entries are not all moved yet. */
    private record Dividing(BucketHolder holder, DividedBucket bucket) {}

    /**
     * An empty store.
     *
     * @param engine what keeps the entries
     * @param options sizes
     * @param firstSlot the first slot that can be stored
     * @param lastSlot the last, included
     * @param slotOf the slot of a key
     */
    public ShardStore(
            StorageEngine engine, StorageOptions options, int firstSlot, int lastSlot, ToIntFunction<byte[]> slotOf) {
        this(engine, options, firstSlot, lastSlot, slotOf, new ReaderGate());
    }

    private ShardStore(
            StorageEngine engine,
            StorageOptions options,
            int firstSlot,
            int lastSlot,
            ToIntFunction<byte[]> slotOf,
            ReaderGate gate) {
        if (firstSlot < 0 || firstSlot > lastSlot) {
            throw new IllegalArgumentException("slots " + firstSlot + "-" + lastSlot);
        }
        this.engine = engine;
        this.options = options;
        this.firstSlot = firstSlot;
        this.lastSlot = lastSlot;
        this.slotOf = slotOf;
        this.gate = gate;
        this.bucketShift = Integer.numberOfTrailingZeros(options.slotsPerBucket());
        this.buckets = new AtomicReferenceArray<>((lastSlot >> bucketShift) - (firstSlot >> bucketShift) + 1);
        this.keysOfSlot = new AtomicIntegerArray(lastSlot - firstSlot + 1);
        this.stamps = new SlotStamps(firstSlot, lastSlot);
        this.scanner = new KeyScanner(this);
    }

    // ---- for the apply thread ----

    /**
     * Before each command: lets long reads finish, and frees what nobody reads any more.
     *
     * @param index the index of the log's entry
     */
    public void beginCommand(long index) {
        commandIndex = index;
        stamps.awaitPause();
        gate.poll();
        CaptureKeeper capturing = capture;
        if (capturing != null && capturing.poll(gate)) {
            capture = null;
        }
        if (!inherited.isEmpty()) {
            inherited.removeIf(keeper -> keeper.poll(gate));
        }
        if (!dividing.isEmpty()) {
            moveEntries(ENTRIES_PER_COMMAND);
        }
    }

    /** Whether a capture is going on. */
    public boolean isCapturing() {
        CaptureKeeper present = capture;
        return present != null && !present.capture().isOver();
    }

    /**
     * Holds the entries as they are now; takes microseconds. One capture at a time.
     *
     * @param maxHeldBytes the capture fails when it would have to hold more than this of what is changed meanwhile
     * @throws IllegalStateException if the one before is not closed
     */
    public StoreCapture beginCapture(long maxHeldBytes) {
        CaptureKeeper before = capture;
        if (before != null) {
            if (!before.capture().isOver()) {
                throw new IllegalStateException("a capture is going on");
            }
            before.finish(gate);
        }
        CaptureKeeper capturing = new CaptureKeeper(new StoreCapture(this, maxHeldBytes));
        for (int i = 0; i < buckets.length(); i++) {
            BucketHolder holder = buckets.getPlain(i);
            if (holder != null) {
                capturing.add(holder, slotsOfBucket(i));
            }
        }
        capture = capturing;
        return capturing.capture();
    }

    /** Lets a capture fail that may be going on. */
    public void endCapture(String why) {
        if (capture != null && !capture.capture().isOver()) {
            capture.capture().fail(why);
        }
    }

    /**
     * Hands the slots from {@code slot} on to a new store, with their entries, in microseconds: whole buckets pass by
     * reference, and of the one in which {@code slot} lies, if it does not begin with it, both stores get a part (see
     * {@link DividedBucket}). A capture of this store, and of what passed to it in the midst of others, goes on as if nothing
     * had happened. A reader of these slots gets a {@link SlotMovedException}, also one that is in the middle.
     *
     * <p>Between {@link #beginCommand} and the end of that command. The new store may have another apply thread, once what
     * this one did is visible to it.
     *
     * @param slot not the first of this store, nor beyond its last
     */
    public ShardStore split(int slot) {
        int last = lastSlot;
        if (slot <= firstSlot || slot > last) {
            throw new IllegalArgumentException("split of slots " + firstSlot + "-" + last + " before slot " + slot);
        }
        stamps.moveAway(slot, last);
        ShardStore right = new ShardStore(engine, options, slot, last, slotOf, new ReaderGate(gate));
        right.commandIndex = commandIndex;
        right.logTimeMillis.set(logTimeMillis.get());
        Set<BucketHolder> moved = Collections.newSetFromMap(new IdentityHashMap<>());
        for (int i = indexOf(slot); i <= indexOf(last); i++) {
            BucketHolder holder = buckets.getPlain(i);
            if (holder == null) {
                continue;
            }
            SlotSpan slots = slotsOfBucket(i);
            if (slots.first() >= slot || countKeys(slots.first(), slot - 1) == 0) {
                buckets.setRelease(i, null);
                holder.gate.moveTo(right.gate);
                right.buckets.setPlain(right.indexOf(slots.last()), holder);
                moved.add(holder);
            } else if (countKeys(slot, slots.last()) > 0) {
                divide(i, holder, slots, slot, right);
            }
        }
        lastSlot = slot - 1;
        moveKeyCounts(slot, last, right);
        dividing.removeIf(part -> moved.contains(part.holder()) && right.dividing.add(part));
        for (CaptureKeeper keeper : keepers()) {
            CaptureKeeper theirs = keeper.handOver(moved);
            if (theirs != null) {
                right.inherited.add(theirs);
            }
        }
        // Whoever enters from now on finds nothing of it: the new gate may begin to look who is left.
        VarHandle.fullFence();
        gate.retire(() -> {});
        return right;
    }

    /**
     * Hands everything to a new store that has room for the slots up to {@code newLast} too; this one is of no use any more. As
     * {@link #split}, but for the same apply thread.
     */
    public ShardStore widen(int newLast) {
        stamps.moveAway(firstSlot, lastSlot);
        ShardStore wider = new ShardStore(engine, options, firstSlot, newLast, slotOf, new ReaderGate(gate));
        wider.commandIndex = commandIndex;
        wider.logTimeMillis.set(logTimeMillis.get());
        for (int i = 0; i <= indexOf(lastSlot); i++) {
            BucketHolder holder = buckets.getPlain(i);
            if (holder != null) {
                buckets.setRelease(i, null);
                holder.gate.moveTo(wider.gate);
                wider.buckets.setPlain(i, holder);
            }
        }
        moveKeyCounts(firstSlot, lastSlot, wider);
        wider.dividing.addAll(dividing);
        wider.inherited.addAll(inherited);
        wider.capture = capture;
        dividing.clear();
        inherited.clear();
        capture = null;
        VarHandle.fullFence();
        gate.leaveTo(wider.gate);
        return wider;
    }

    /** An empty store like this one, with the same time. */
    public ShardStore newEmpty(int first, int last) {
        ShardStore empty = new ShardStore(engine, options, first, last, slotOf);
        empty.logTimeMillis.set(logTimeMillis.get());
        return empty;
    }

    private void divide(int i, BucketHolder holder, SlotSpan slots, int slot, ShardStore right) {
        FrozenBucket frozen = new FrozenBucket(holder.bucket(), 2);
        keepers().forEach(keeper -> keeper.adopt(holder, frozen));
        dividing.removeIf(part -> part.holder() == holder); // it stays as it is, below the new parts
        buckets.setRelease(i, part(frozen, holder, new SlotSpan(slots.first(), slot - 1)));
        right.buckets.setPlain(0, right.part(frozen, holder, new SlotSpan(slot, slots.last()), this));
    }

    private BucketHolder part(FrozenBucket frozen, BucketHolder whole, SlotSpan slots) {
        return part(frozen, whole, slots, this);
    }

    private BucketHolder part(FrozenBucket frozen, BucketHolder whole, SlotSpan slots, ShardStore counted) {
        GateRef ref = new GateRef(gate);
        long count = counted.countKeys(slots.first(), slots.last());
        DividedBucket bucket =
                new DividedBucket(frozen, slots, slotOf, ref, count + count / 4, whole.expiringEntries());
        BucketHolder holder = new BucketHolder(bucket, ref, whole, commandIndex, count);
        dividing.add(new Dividing(holder, bucket));
        return holder;
    }

    private long countKeys(int first, int last) {
        long sum = 0;
        for (int slot = first; slot <= last; slot++) {
            sum += keysOfSlot.getPlain(slot - firstSlot);
        }
        return sum;
    }

    private void moveKeyCounts(int first, int last, ShardStore to) {
        long sum = 0;
        for (int slot = first; slot <= last; slot++) {
            int count = keysOfSlot.getPlain(slot - firstSlot);
            to.keysOfSlot.setPlain(slot - first, count);
            keysOfSlot.setOpaque(slot - firstSlot, 0);
            sum += count;
        }
        to.keys.set(sum);
        keys.setRelease(keys.getPlain() - sum);
    }

    private List<CaptureKeeper> keepers() {
        List<CaptureKeeper> all = new ArrayList<>(inherited);
        if (capture != null) {
            all.add(capture);
        }
        return all;
    }

    /**
     * Goes on with what splits left to be done, of which each command does a piece too. For the apply thread, when it has
     * nothing better to do.
     *
     * @param entries at most so many are moved, each of which takes a microsecond or two
     * @return whether there are more to be moved
     */
    public boolean moveEntries(int entries) {
        gate.poll();
        boolean more = false;
        Iterator<Dividing> parts = dividing.iterator();
        while (parts.hasNext()) {
            Dividing part = parts.next();
            // One at a time; those that only wait for the end of a capture do not stand in its way.
            if (!more && part.bucket().move(entries) && !part.holder().isCaptured()) {
                parts.remove();
                finish(part);
            }
            more |= !part.bucket().isMoved();
        }
        return more;
    }

    private void finish(Dividing part) {
        // Slots of the part that had no keys may have become another store's.
        int first = Math.max(part.bucket().slots().first(), firstSlot);
        int last = Math.min(part.bucket().slots().last(), lastSlot);
        for (int slot = first; slot <= last; slot++) {
            beginWrite(slot);
        }
        part.bucket().finish(part.holder());
        for (int slot = first; slot <= last; slot++) {
            endWrite(slot);
        }
    }

    /** An empty store like this one, to be filled from a checkpoint. Any thread. */
    public StoreLoader newLoader(int first, int last) {
        return new StoreLoader(new ShardStore(engine, options, first, last, slotOf));
    }

    /** The log's time is now {@code millis}, which is not less than before. */
    public void advanceTime(long millis) {
        logTimeMillis.setRelease(millis);
    }

    /** Before the changes of one command to one slot. Not reentrant. */
    public void beginWrite(int slot) {
        stamps.beginWrite(slot);
    }

    /** After them; readers then see all of them. */
    public void endWrite(int slot) {
        stamps.endWrite(slot);
    }

    /** A command ended in the middle: readers get an exception instead of waiting for its end. */
    public void fail(Throwable cause) {
        stamps.fail(cause);
    }

    /** The entry of a key, for the apply thread. */
    public @Nullable StoredValue peek(int slot, byte[] key) {
        BucketHolder holder = holder(slot);
        if (holder == null) {
            return null;
        }
        Object found = holder.bucket().find(key);
        if (found instanceof LargeValue large) {
            StoredValue value = holder.bucket().load(large);
            if (value == null) {
                throw new StorageException("slot " + slot + ": part of a value is missing");
            }
            return value;
        }
        return (StoredValue) found;
    }

    /** What is known of the entry of a key, for the apply thread. */
    public @Nullable EntryInfo peekInfo(int slot, byte[] key) {
        BucketHolder holder = holder(slot);
        return holder == null ? null : holder.bucket().describe(key);
    }

    /**
     * Writes an entry; the arrays pass to the store.
     *
     * @param expiresAtMillis 0 for never
     * @return the expiry time of the entry that was replaced, or {@link #ABSENT}
     * @throws StorageException if that is impossible: fatal for the replica
     */
    public long put(int slot, byte[] key, byte[] value, long version, long expiresAtMillis) {
        BucketHolder holder = holder(slot);
        if (holder == null) {
            GateRef ref = new GateRef(gate);
            holder = new BucketHolder(engine.newBucket(ref, options), ref);
            buckets.setRelease(indexOf(slot), holder);
        }
        holder.beforeChange(key);
        long old = holder.bucket().put(key, value, version, expiresAtMillis);
        holder.changed(commandIndex, old == ABSENT ? 1 : 0);
        if (old == ABSENT) {
            count(slot, 1);
        }
        if (old > 0 || expiresAtMillis > 0) {
            holder.replaced(old, expiresAtMillis);
        }
        return old;
    }

    /**
     * Changes the expiry time of an entry.
     *
     * @param expiresAtMillis 0 for never
     * @return the expiry time it had, or {@link #ABSENT}
     */
    public long setExpiry(int slot, byte[] key, long expiresAtMillis) {
        BucketHolder holder = holder(slot);
        if (holder == null) {
            return ABSENT;
        }
        holder.beforeChange(key);
        long old = holder.bucket().setExpiry(key, expiresAtMillis);
        if (old != ABSENT) {
            holder.changed(commandIndex, 0);
            holder.replaced(old, expiresAtMillis);
        }
        return old;
    }

    /**
     * Removes an entry.
     *
     * @return the expiry time it had, or {@link #ABSENT}
     */
    public long remove(int slot, byte[] key) {
        BucketHolder holder = holder(slot);
        if (holder == null) {
            return ABSENT;
        }
        holder.beforeChange(key);
        long old = holder.bucket().remove(key);
        if (old != ABSENT) {
            holder.changed(commandIndex, -1);
            count(slot, -1);
            holder.replaced(old, 0);
        }
        return old;
    }

    /** Removes every entry; brackets the changes itself. */
    public void clear() {
        for (int slot = firstSlot; slot <= lastSlot; slot++) {
            beginWrite(slot);
        }
        for (int i = 0; i < buckets.length(); i++) {
            BucketHolder holder = buckets.getAndSet(i, null);
            if (holder != null) {
                FrozenBucket dropped = new FrozenBucket(holder.bucket(), 1);
                keepers().forEach(keeper -> keeper.adopt(holder, dropped));
                gate.retire(dropped::release);
            }
        }
        dividing.clear();
        for (int slot = firstSlot; slot <= lastSlot; slot++) {
            keysOfSlot.setOpaque(slot - firstSlot, 0);
            endWrite(slot);
        }
        keys.setRelease(0);
    }

    /** Frees everything. No command may be applied any more; readers still inside get five seconds. Idempotent. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        endCapture("the replica was closed");
        inherited.forEach(keeper -> keeper.capture().fail("the replica with a part of what was captured was closed"));
        if (!gate.close(CLOSE_TIMEOUT_NANOS)) {
            throw new StorageException("readers are still inside: the storage is left to the end of the process");
        }
        for (int i = 0; i < buckets.length(); i++) {
            BucketHolder holder = buckets.getAndSet(i, null);
            if (holder != null) {
                holder.bucket().close();
            }
        }
        keepers().forEach(CaptureKeeper::close);
        inherited.clear();
        capture = null;
    }

    // ---- for any thread ----

    /** The log's time in milliseconds since 1970. */
    public long logTimeMillis() {
        return logTimeMillis.getAcquire();
    }

    /**
     * The entry of a key.
     *
     * @throws StorageException if the store is closed or the replica has failed
     */
    public Timed<StoredValue> get(int slot, byte[] key) {
        int token = gate.enter();
        try {
            for (int attempt = 0; attempt < TORN_ATTEMPTS; attempt++) {
                Found found = stamps.read(slot, () -> find(slot, key));
                if (!found.isLarge()) {
                    return new Timed<>((StoredValue) found.entry(), found.logTimeMillis());
                }
                StoredValue value = found.load();
                if (value != null) {
                    return new Timed<>(value, found.logTimeMillis());
                }
            }
            return stamps.readPaused(slot, () -> {
                long time = logTimeMillis();
                return new Timed<StoredValue>(findWhole(slot, key), time);
            });
        } finally {
            gate.exit(token);
        }
    }

    /**
     * The entries of several keys of one slot, at one point in time.
     *
     * @return in the order asked, null where there is none
     * @throws StorageException if the store is closed or the replica has failed
     */
    public TimedValues getAll(int slot, List<byte[]> keysOfOneSlot) {
        int token = gate.enter();
        try {
            return stamps.read(slot, () -> {
                long time = logTimeMillis();
                List<@Nullable StoredValue> values = new ArrayList<>(keysOfOneSlot.size());
                for (byte[] key : keysOfOneSlot) {
                    values.add(findWhole(slot, key));
                }
                return new TimedValues(values, time);
            });
        } finally {
            gate.exit(token);
        }
    }

    /**
     * What is known of the entry of a key.
     *
     * @throws StorageException if the store is closed or the replica has failed
     */
    public Timed<EntryInfo> describe(int slot, byte[] key) {
        int token = gate.enter();
        try {
            return stamps.read(slot, () -> {
                long time = logTimeMillis();
                return new Timed<>(peekInfo(slot, key), time);
            });
        } finally {
            gate.exit(token);
        }
    }

    /** How many entries there are. */
    public long size() {
        return keys.getAcquire();
    }

    /** How many entries a slot has. */
    public int sizeOfSlot(int slot) {
        return stamps.read(slot, () -> keysOfSlot.getOpaque(slot - firstSlot));
    }

    /**
     * How many entries the slots from {@code first} to {@code last} have: each at some point in time during the call.
     *
     * @throws SlotMovedException if some went to another store meanwhile
     */
    public long sizeOfSlots(int first, int last) {
        long sum = 0;
        for (int slot = first; slot <= last; slot++) {
            sum += keysOfSlot.getAcquire(slot - firstSlot);
        }
        if (last >= stamps.movedFrom()) {
            throw new SlotMovedException(last); // some may have been counted as gone
        }
        return sum;
    }

    /**
     * Up to {@code limit} keys of one slot that are not expired, at one point in time. Passes over the slot's bucket.
     */
    public List<byte[]> keysOfSlot(int slot, int limit) {
        int token = gate.enter();
        try {
            return stamps.read(slot, () -> scanner.keysOfSlot(slot, limit));
        } finally {
            gate.exit(token);
        }
    }

    /** Some key that is not expired; null if there is none. Passes over at least one bucket. */
    public byte @Nullable [] randomKey(long seed) {
        int token = gate.enter();
        try {
            int movedFrom = stamps.movedFrom();
            byte[] key = scanner.randomKey(seed);
            if (stamps.movedFrom() != movedFrom) {
                throw new SlotMovedException(stamps.movedFrom());
            }
            return key;
        } finally {
            gate.exit(token);
        }
    }

    /**
     * Keys in scan order from {@code fromOrder} on, up to {@code endOrder}: about {@code limit}, none of them expired.
     *
     * @param fromOrder see {@link io.elastickv.embedded.internal.command.ScanPosition#order()}
     * @param endOrder excluded
     * @param scanId tells which snapshots may be used again; 0 for none
     */
    public ScanResult scan(long fromOrder, long endOrder, int scanId, int limit) {
        int token = gate.enter();
        try {
            ScanResult found = scanner.scan(fromOrder, endOrder, scanId, limit);
            int lastScanned = (int) ((endOrder - 1) >>> 32);
            if (lastScanned >= stamps.movedFrom()) {
                throw new SlotMovedException(lastScanned); // some keys may have been gone already
            }
            return found;
        } finally {
            gate.exit(token);
        }
    }

    /**
     * Up to {@code limit} keys that are expired at {@code nowMillis}, for a proposal to delete them. Costs nothing for
     * buckets without such keys, a pass for the others. Returns nothing while another thread is at it.
     */
    public List<byte[]> collectExpired(long nowMillis, int limit) {
        List<byte[]> expired = new ArrayList<>();
        if (!collecting.tryLock()) {
            return expired;
        }
        try {
            int token = gate.enter();
            try {
                for (int i = 0; i < buckets.length() && expired.size() < limit; i++) {
                    BucketHolder holder = buckets.getAcquire(i);
                    if (holder != null && holder.hasDue(nowMillis)) {
                        holder.collectExpired(nowMillis, limit, expired);
                    }
                }
            } finally {
                gate.exit(token);
            }
        } finally {
            collecting.unlock();
        }
        return expired;
    }

    /** Memory reserved outside the heap in bytes; what is resident may be less. */
    public long offHeapBytes() {
        int token = gate.enter();
        try {
            long sum = 0;
            for (int i = 0; i < buckets.length(); i++) {
                BucketHolder holder = buckets.getAcquire(i);
                sum += holder == null ? 0 : holder.bucket().offHeapBytes();
            }
            return sum;
        } finally {
            gate.exit(token);
        }
    }

    // ---- for the scanner ----

    int slotOf(byte[] key) {
        return slotOf.applyAsInt(key);
    }

    int firstSlot() {
        return firstSlot;
    }

    int lastSlot() {
        return lastSlot;
    }

    int slotsPerBucket() {
        return options.slotsPerBucket();
    }

    int keyCountOpaque(int slot) {
        return keysOfSlot.getOpaque(slot - firstSlot);
    }

    @Nullable
    BucketHolder holder(int slot) {
        return buckets.getAcquire(indexOf(slot));
    }

    /** Those of the bucket at {@code i} that are the store's. */
    private SlotSpan slotsOfBucket(int i) {
        int first = ((firstSlot >> bucketShift) + i) << bucketShift;
        return new SlotSpan(Math.max(first, firstSlot), Math.min(first + options.slotsPerBucket() - 1, lastSlot));
    }

    SlotSpan slotsOfBucketOf(int slot) {
        return slotsOfBucket(indexOf(slot));
    }

    private int indexOf(int slot) {
        return (slot >> bucketShift) - (firstSlot >> bucketShift);
    }

    // ---- for the loader ----

    /** Adds an entry before the store is used; false if it was there. Each bucket is for one thread at a time. */
    boolean load(
            BucketHolder holder, int slot, byte[] key, byte[] value, long version, long expiresAtMillis, long index) {
        long old = holder.bucket().put(key, value, version, expiresAtMillis);
        holder.changed(index, old == ABSENT ? 1 : 0);
        if (old > 0 || expiresAtMillis > 0) {
            holder.replaced(old, expiresAtMillis);
        }
        if (old == ABSENT) {
            keysOfSlot.setPlain(slot - firstSlot, keysOfSlot.getPlain(slot - firstSlot) + 1);
        }
        return old == ABSENT;
    }

    /** The bucket of a slot; made for what is expected, if it is not there. Any thread. */
    BucketHolder bucketForLoading(int slot, @Nullable CheckpointFile expected) {
        int i = indexOf(slot);
        BucketHolder holder = buckets.getAcquire(i);
        if (holder != null) {
            return holder;
        }
        GateRef ref = new GateRef(gate);
        BucketHolder made = new BucketHolder(engine.newBucket(ref, options, expected), ref);
        holder = buckets.compareAndExchange(i, null, made);
        if (holder == null) {
            return made;
        }
        made.bucket().close();
        return holder;
    }

    /** After all entries are loaded. */
    void loaded(long logTime) {
        keys.set(countKeys(firstSlot, lastSlot));
        logTimeMillis.set(logTime);
    }

    /** Where readers enter and exit. */
    ReaderGate readers() {
        return gate;
    }

    /** An entry, and the bucket it was found in: another one in its place counts its long values anew. */
    record Found(@Nullable Bucket bucket, @Nullable Object entry, long logTimeMillis) {

        boolean isLarge() {
            return entry instanceof LargeValue;
        }

        /** The long value; null if it went meanwhile. */
        @Nullable
        StoredValue load() {
            return bucket != null && entry instanceof LargeValue large ? bucket.load(large) : null;
        }
    }

    /** For a reader inside {@link #readers}. */
    Found find(int slot, byte[] key) {
        long time = logTimeMillis();
        BucketHolder holder = holder(slot);
        if (holder == null) {
            return new Found(null, null, time);
        }
        Bucket bucket = holder.bucket();
        return new Found(bucket, bucket.find(key), time);
    }

    /** The value itself; null also if it was torn, which the caller's stamp tells. */
    private @Nullable StoredValue findWhole(int slot, byte[] key) {
        BucketHolder holder = holder(slot);
        if (holder == null) {
            return null;
        }
        Bucket bucket = holder.bucket();
        Object found = bucket.find(key);
        return found instanceof LargeValue large ? bucket.load(large) : (StoredValue) found;
    }

    private void count(int slot, int change) {
        int i = slot - firstSlot;
        keysOfSlot.setOpaque(i, keysOfSlot.getPlain(i) + change);
        keys.setRelease(keys.getPlain() + change);
    }
}
