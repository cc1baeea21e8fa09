package io.elastickv.embedded.internal.shard;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a replica has to do: exact counts of reads and writes by slot, of bytes, and how long applying takes. Each second
 * {@link #roll} makes exponentially weighted means of them. Keys are only counted in slots that are hot.
 *
 * <p>Counting costs a few nanoseconds and waits for nobody, see {@link SlotCounters}. A reading is made from the counts by
 * whoever asks for it, and does not disturb those who count.
 *
 * <p>Only one in seven commands is timed, since reading the clock twice costs more than all the rest; seven is coprime to
 * the periods that workloads have.
 */
public final class LoadMeter {

    private static final double FAST_SECONDS = 3;
    private static final double STEADY_SECONDS = 30;
    /** A window is about a second; one that would be much shorter is left to grow. */
    private static final long LEAST_WINDOW_NANOS = 500_000_000L;
    /** A mean below this is none: it would be carried along for ever. */
    private static final double NOTHING = 1e-3;

    private static final int TIMED_ONE_IN = 7;
    /** What a timed command takes beyond this is not multiplied: it is a pause, not the cost of a command. */
    private static final long PAUSE_NANOS = 200_000L;

    private final LongSupplier nanoClock;
    private volatile SlotCounters counters;
    private volatile @Nullable HotSlots hot;
    /** Followers apply the same writes; only the leader counts their keys. */
    private volatile boolean leading;

    // Of the thread that applies:
    private @Nullable Thread owner;
    private int untilTimed = TIMED_ONE_IN;
    private final AtomicLong applyNanos = new AtomicLong();

    // Guarded by this:
    private boolean begun;
    private long rolledNanos;
    private long[] lastReads;
    private long[] lastWrites;
    private long lastApplyNanos;
    private double[] reads;
    private double[] writes;
    private double steadyReads;
    private double steadyWrites;
    private double readBytes;
    private double writeBytes;
    private double applying;
    private MeterReading reading = MeterReading.NONE;

    /** A meter of these slots. */
    LoadMeter(int firstSlot, int lastSlot) {
        this(firstSlot, lastSlot, System::nanoTime);
    }

    /** A meter that times commands by another clock. */
    LoadMeter(int firstSlot, int lastSlot, LongSupplier nanoClock) {
        int size = lastSlot - firstSlot + 1;
        this.nanoClock = nanoClock;
        this.counters = new SlotCounters(firstSlot, size);
        this.lastReads = new long[size + 1];
        this.lastWrites = new long[size + 1];
        this.reads = new double[size];
        this.writes = new double[size];
    }

    // ---- counting

    /** A key was read. Any thread. */
    void read(int slot, byte[] key, int bytes) {
        count(slot, 1, bytes);
        HotSlots watched = hot;
        if (watched != null) {
            watched.offer(slot, key);
        }
    }

    /** Keys were read of a slot at which a scan was, or so. Any thread. */
    void scanned(int slot, long bytes) {
        count(slot, 1, bytes);
    }

    private void count(int slot, int count, long bytes) {
        if (Thread.currentThread() == owner) {
            counters.ownRead(slot, count, bytes);
        } else {
            counters.otherRead(slot, count, bytes);
        }
    }

    /** A key was written, or would have been if its condition held. On the thread that applies. */
    void wrote(int slot, byte[] key) {
        counters.ownWrite(slot, 1);
        HotSlots watched = hot;
        if (watched != null && leading) {
            watched.offer(slot, key);
        }
    }

    /** As {@link #wrote(int, byte[])}, of several. */
    void wrote(int slot, List<byte[]> keys) {
        counters.ownWrite(slot, keys.size());
        HotSlots watched = hot;
        if (watched != null && leading) {
            keys.forEach(key -> watched.offer(slot, key));
        }
    }

    /**
     * A command is about to be applied. On the thread that applies.
     *
     * @return to be handed to {@link #applied}
     */
    long beginApply() {
        if (--untilTimed > 0) {
            return 0;
        }
        untilTimed = TIMED_ONE_IN;
        owner = Thread.currentThread();
        return nanoClock.getAsLong() | 1; // not 0
    }

    /** It was. */
    void applied(long begin, int bytes) {
        counters.ownWriteBytes(bytes);
        if (begin != 0) {
            long nanos = Math.max(0, nanoClock.getAsLong() - begin);
            long weighted = Math.min(nanos, PAUSE_NANOS) * TIMED_ONE_IN + Math.max(0, nanos - PAUSE_NANOS);
            applyNanos.setOpaque(applyNanos.getPlain() + weighted);
        }
    }

    // ---- reading

    /**
     * Ends a window, if it is long enough, and reads the meter. The first window only says from where on to count: what was
     * applied before it came from the log or from a checkpoint. Any thread; takes microseconds.
     *
     * @param nowNanos the monotonic time
     * @param leads whether this replica leads, so that the writes are its business
     */
    public synchronized MeterReading roll(long nowNanos, boolean leads) {
        leading = leads;
        if (begun && nowNanos - rolledNanos < LEAST_WINDOW_NANOS) {
            return reading;
        }
        SlotCounters present = counters;
        long[] readSums = new long[present.size + 1];
        long[] writeSums = new long[present.size + 1];
        present.sumReads(readSums);
        present.sumWrites(writeSums);
        long applySum = applyNanos.getOpaque();
        if (begun) {
            average((nowNanos - rolledNanos) / 1e9, present, readSums, writeSums, applySum);
        }
        begun = true;
        rolledNanos = nowNanos;
        lastReads = readSums;
        lastWrites = writeSums;
        lastApplyNanos = applySum;
        return reading;
    }

    private void average(double seconds, SlotCounters present, long[] readSums, long[] writeSums, long applySum) {
        double fast = 1 - Math.exp(-seconds / FAST_SECONDS);
        double steady = 1 - Math.exp(-seconds / STEADY_SECONDS);
        int size = present.size;
        double[] inWindow = new double[size];
        double readTotal = 0;
        double writeTotal = 0;
        for (int i = 0; i < size; i++) {
            double readRate = (readSums[i] - lastReads[i]) / seconds;
            double writeRate = (writeSums[i] - lastWrites[i]) / seconds;
            reads[i] = toward(reads[i], readRate, fast);
            writes[i] = toward(writes[i], writeRate, fast);
            inWindow[i] = leading ? readRate + writeRate : readRate;
            readTotal += readRate;
            writeTotal += writeRate;
        }
        steadyReads = toward(steadyReads, readTotal, steady);
        steadyWrites = toward(steadyWrites, writeTotal, steady);
        readBytes = toward(readBytes, (readSums[size] - lastReads[size]) / seconds, fast);
        writeBytes = toward(writeBytes, (writeSums[size] - lastWrites[size]) / seconds, fast);
        applying = toward(applying, (applySum - lastApplyNanos) / seconds, fast);
        HotSlots watched = hot;
        List<MeterReading.Key> keys = watched == null ? List.of() : watched.keys();
        hot = HotSlots.choose(watched, present.first, inWindow, leading ? readTotal + writeTotal : readTotal, 1 - fast);
        reading = read(present.first, keys);
    }

    private static double toward(double mean, double value, double weight) {
        double next = mean + (value - mean) * weight;
        return next < NOTHING ? 0 : next;
    }

    private MeterReading read(int first, List<MeterReading.Key> keys) {
        int loaded = 0;
        double readTotal = 0;
        double writeTotal = 0;
        for (int i = 0; i < reads.length; i++) {
            loaded += reads[i] > 0 || writes[i] > 0 ? 1 : 0;
            readTotal += reads[i];
            writeTotal += writes[i];
        }
        int[] slots = new int[loaded];
        double[] slotReads = new double[loaded];
        double[] slotWrites = new double[loaded];
        int at = 0;
        for (int i = 0; i < reads.length; i++) {
            if (reads[i] > 0 || writes[i] > 0) {
                slots[at] = first + i;
                slotReads[at] = reads[i];
                slotWrites[at++] = writes[i];
            }
        }
        return new MeterReading(
                readTotal,
                writeTotal,
                steadyReads,
                steadyWrites,
                readBytes,
                writeBytes,
                applying,
                slots,
                slotReads,
                slotWrites,
                keys);
    }

    // ---- splits and merges

    /**
     * The slots from {@code firstSlot} on become another shard: takes them out of this meter, with what is known of them. On
     * the thread that applies.
     *
     * @return the meter of the other shard; it goes on as if it had always been there
     */
    public synchronized LoadMeter split(int firstSlot) {
        SlotCounters present = counters;
        int end = present.first + present.size;
        if (firstSlot <= present.first || firstSlot >= end) {
            throw new IllegalArgumentException(
                    "slot " + firstSlot + " does not divide " + present.first + "-" + (end - 1));
        }
        LoadMeter right = new LoadMeter(firstSlot, end - 1, nanoClock);
        double before = sum(reads, 0) + sum(writes, 0);
        double moved = sum(reads, firstSlot - present.first) + sum(writes, firstSlot - present.first);
        double part = before > 0 ? moved / before : (double) right.counters.size / present.size;
        right.copyFrom(this);
        cover(present.first, firstSlot - 1);
        right.shareOf(this, part);
        scale(1 - part);
        return right;
    }

    /**
     * The meter's slots are these from now on; what it knows of those among them that were its slots before remains. On the
     * thread that applies.
     */
    public synchronized void cover(int firstSlot, int lastSlot) {
        SlotCounters present = counters;
        int size = lastSlot - firstSlot + 1;
        if (present.first == firstSlot && present.size == size) {
            return;
        }
        SlotCounters other = new SlotCounters(firstSlot, size);
        long[] readSums = new long[present.size + 1];
        long[] writeSums = new long[present.size + 1];
        present.sumReads(readSums);
        present.sumWrites(writeSums);
        int from = present.first - firstSlot;
        other.begin(shifted(readSums, from, size), shifted(writeSums, from, size));
        lastReads = shifted(lastReads, from, size);
        lastWrites = shifted(lastWrites, from, size);
        reads = shifted(reads, from, size);
        writes = shifted(writes, from, size);
        HotSlots watched = hot;
        hot = watched == null ? null : watched.within(firstSlot, lastSlot);
        reading = read(
                firstSlot,
                reading.hotKeys().stream()
                        .filter(key -> key.slot() >= firstSlot && key.slot() <= lastSlot)
                        .toList());
        counters = other; // what readers counted since the sums above is lost: it was a microsecond
    }

    /**
     * Slots came from another shard that has, or had, a replica on this node: takes over what its meter knows of them, so that
     * they do not look idle at first. Those of them that this meter does not cover are left out. Any thread; not at the same
     * time in both directions.
     */
    public void adopt(LoadMeter from, int firstSlot, int lastSlot) {
        MeterReading theirs = from.lastReading();
        synchronized (this) {
            int first = counters.first;
            for (int i = 0; i < theirs.slots().length; i++) {
                int slot = theirs.slots()[i];
                if (slot >= Math.max(first, firstSlot) && slot <= Math.min(first + reads.length - 1, lastSlot)) {
                    reads[slot - first] = Math.max(reads[slot - first], theirs.slotReads()[i]);
                    writes[slot - first] = Math.max(writes[slot - first], theirs.slotWrites()[i]);
                }
            }
            reading = read(first, reading.hotKeys());
        }
    }

    /** The reading of the last window. */
    public synchronized MeterReading lastReading() {
        return reading;
    }

    /** Takes over what the other one, whose lock is held, knows of this one's slots. */
    private synchronized void copyFrom(LoadMeter other) {
        SlotCounters theirs = other.counters;
        int first = counters.first;
        int size = counters.size;
        long[] readSums = new long[theirs.size + 1];
        long[] writeSums = new long[theirs.size + 1];
        theirs.sumReads(readSums);
        theirs.sumWrites(writeSums);
        int from = theirs.first - first;
        counters.begin(withoutBytes(shifted(readSums, from, size)), withoutBytes(shifted(writeSums, from, size)));
        begun = other.begun;
        leading = other.leading;
        rolledNanos = other.rolledNanos;
        lastReads = withoutBytes(shifted(other.lastReads, from, size));
        lastWrites = withoutBytes(shifted(other.lastWrites, from, size));
        reads = shifted(other.reads, from, size);
        writes = shifted(other.writes, from, size);
        HotSlots watched = other.hot;
        hot = watched == null ? null : watched.within(first, first + size - 1);
    }

    /** What is not known by slot is divided like the operations. */
    private synchronized void shareOf(LoadMeter other, double part) {
        steadyReads = other.steadyReads;
        steadyWrites = other.steadyWrites;
        readBytes = other.readBytes;
        writeBytes = other.writeBytes;
        applying = other.applying;
        scale(part);
    }

    private synchronized void scale(double part) {
        steadyReads *= part;
        steadyWrites *= part;
        readBytes *= part;
        writeBytes *= part;
        applying *= part;
        HotSlots watched = hot;
        reading = read(counters.first, watched == null ? List.of() : watched.keys());
    }

    private static double sum(double[] values, int from) {
        double sum = 0;
        for (int i = from; i < values.length; i++) {
            sum += values[i];
        }
        return sum;
    }

    /** Moves values up by so many places, for other slots; the bytes remain at the end. */
    private static long[] shifted(long[] sums, int by, int size) {
        long[] moved = new long[size + 1];
        moved[size] = sums[sums.length - 1];
        for (int i = Math.max(0, by); i < Math.min(size, sums.length - 1 + by); i++) {
            moved[i] = sums[i - by];
        }
        return moved;
    }

    /** The bytes of the window that is going on remain with the shard that was split. */
    private static long[] withoutBytes(long[] sums) {
        sums[sums.length - 1] = 0;
        return sums;
    }

    private static double[] shifted(double[] values, int by, int size) {
        double[] moved = new double[size];
        for (int i = Math.max(0, by); i < Math.min(size, values.length + by); i++) {
            moved[i] = values[i - by];
        }
        return moved;
    }
}
