package io.elastickv.embedded.internal.storage;

import java.util.Arrays;
import java.util.function.Consumer;
import net.openhft.chronicle.bytes.RandomDataInput;
import net.openhft.chronicle.core.OS;
import net.openhft.chronicle.hash.Data;
import net.openhft.chronicle.map.ChronicleMap;
import net.openhft.chronicle.map.ExternalMapQueryContext;
import net.openhft.chronicle.map.MapEntry;
import net.openhft.chronicle.map.MapSegmentContext;
import org.jspecify.annotations.Nullable;

/**
 * A map that grows without limit and without a stall: a list of Chronicle Maps of growing capacity. What is written goes
 * into the newest and then out of the older ones, so nothing is ever copied in bulk; an older one that has become empty is
 * dropped. A lookup probes from the newest to the oldest.
 *
 * <p>A Chronicle Map whose last allowed extra tier is used up loses entries when an overwrite needs more room (the old
 * entry is freed before the new one fails). So before every write the newest map must have such tiers left, and gets a
 * successor otherwise; should it be full nevertheless, that is a {@link StorageException}.
 *
 * <p>Methods named for writing are for one thread.
 */
final class ChronicleGenerations {

    /** Sees an entry under its lock. */
    @FunctionalInterface
    interface Reader<R> {
        /** Reads {@code size} bytes at {@code offset}; must not keep {@code in}. */
        @Nullable
        R read(RandomDataInput in, long offset, int size);
    }

    /** Sees the key and value of an entry under its lock. */
    @FunctionalInterface
    interface Visitor {
        void visit(byte[] key, RandomDataInput in, long offset);
    }

    private static final class Generation {

        final ChronicleMap<byte[], byte[]> map;
        final long capacity;
        /** Below this many extra tiers left the map gets a successor. */
        final int minAutoResizes;
        /** Writer only. */
        long entries;

        Generation(ChronicleMap<byte[], byte[]> map, long capacity) {
            this.map = map;
            this.capacity = capacity;
            // Half of the tiers: the more of them a segment has, the more a lookup probes.
            this.minAutoResizes = Math.max(2, map.remainingAutoResizes() / 2);
        }

        boolean isFull() {
            return map.remainingAutoResizes() < minAutoResizes;
        }
    }

    private final GateRef gate;
    private final int growthFactor;
    private final int maxEntryBytes;
    private final double firstAverageKeyBytes;
    private final double firstAverageValueBytes;
    /** Sums over what was written, for the averages of the next map. Writer only. */
    private double writtenKeyBytes;

    private double writtenValueBytes;
    private long writtenEntries;

    private volatile Generation[] generations;

    ChronicleGenerations(
            GateRef gate,
            long initialEntries,
            int growthFactor,
            double averageKeyBytes,
            double averageValueBytes,
            int maxEntryBytes) {
        this.gate = gate;
        this.growthFactor = growthFactor;
        this.maxEntryBytes = maxEntryBytes;
        this.firstAverageKeyBytes = averageKeyBytes;
        this.firstAverageValueBytes = averageValueBytes;
        this.generations = new Generation[] {newGeneration(initialEntries, averageKeyBytes, averageValueBytes)};
    }

    /** Reads the value of {@code key}; null if there is no such key, or if the reader says so. */
    <R> @Nullable R read(byte[] key, Reader<R> reader) {
        Generation[] all = generations;
        for (int i = all.length - 1; i >= 0; i--) {
            try (ExternalMapQueryContext<byte[], byte[], ?> context = all[i].map.queryContext(key)) {
                context.readLock().lock();
                MapEntry<byte[], byte[]> entry = context.entry();
                if (entry != null) {
                    Data<byte[]> value = entry.value();
                    return reader.read(value.bytes(), value.offset(), (int) value.size());
                }
            }
        }
        return null;
    }

    /**
     * Writes a key.
     *
     * @param reader sees the value that is replaced
     * @return what the reader returned; null if the key is new
     */
    <R> @Nullable R write(byte[] key, byte[] value, Reader<R> reader) {
        Generation newest = generations[generations.length - 1];
        if (newest.isFull()) {
            newest = grow();
        }
        writtenKeyBytes += key.length;
        writtenValueBytes += value.length;
        writtenEntries++;
        R old = null;
        boolean replaced = false;
        try (ExternalMapQueryContext<byte[], byte[], ?> context = newest.map.queryContext(key)) {
            context.updateLock().lock();
            MapEntry<byte[], byte[]> entry = context.entry();
            Data<byte[]> data = context.wrapValueAsData(value);
            if (entry != null) {
                Data<byte[]> present = entry.value();
                old = reader.read(present.bytes(), present.offset(), (int) present.size());
                replaced = true;
                entry.doReplaceValue(data);
            } else {
                context.insert(nonNull(context.absentEntry()), data);
                newest.entries++;
            }
        } catch (IllegalStateException | IllegalArgumentException e) {
            throw new StorageException(
                    "an off-heap map of " + newest.entries + " entries could not take one of " + value.length
                            + " bytes; the replica must be rebuilt",
                    e);
        }
        if (replaced || generations.length == 1) {
            return old;
        }
        return removeFrom(key, generations.length - 2, reader);
    }

    /**
     * Removes a key.
     *
     * @param reader sees the value that is removed
     * @return what the reader returned; null if there was no such key
     */
    <R> @Nullable R remove(byte[] key, Reader<R> reader) {
        return removeFrom(key, generations.length - 1, reader);
    }

    private <R> @Nullable R removeFrom(byte[] key, int from, Reader<R> reader) {
        Generation[] all = generations;
        for (int i = from; i >= 0; i--) {
            R removed = null;
            boolean found = false;
            try (ExternalMapQueryContext<byte[], byte[], ?> context = all[i].map.queryContext(key)) {
                context.updateLock().lock();
                MapEntry<byte[], byte[]> entry = context.entry();
                if (entry != null) {
                    Data<byte[]> value = entry.value();
                    removed = reader.read(value.bytes(), value.offset(), (int) value.size());
                    entry.doRemove();
                    found = true;
                }
            }
            if (found) {
                all[i].entries--;
                if (all[i].entries == 0 && i < all.length - 1) {
                    drop(all[i]);
                }
                return removed;
            }
        }
        return null;
    }

    /**
     * Shows every entry that is there from beginning to end, at least once. Entries only move from older maps to newer
     * ones, so going the same way misses none.
     */
    void forEach(Visitor visitor) {
        Generation last = null;
        while (true) {
            Generation[] all = generations;
            int next = 0;
            if (last != null) {
                for (int i = 0; i < all.length; i++) {
                    if (all[i] == last) {
                        next = i + 1;
                    }
                }
            }
            if (next == all.length) {
                return;
            }
            last = all[next];
            for (int segment = 0; segment < last.map.segments(); segment++) {
                try (MapSegmentContext<byte[], byte[], ?> context = last.map.segmentContext(segment)) {
                    context.forEachSegmentEntry(entry -> {
                        Data<byte[]> value = entry.value();
                        visitor.visit(keyOf(entry), value.bytes(), value.offset());
                    });
                }
            }
        }
    }

    /**
     * A walk over the maps that there are now, segment by segment: an entry that is not written meanwhile stays where it is,
     * so each is met exactly once. Not thread-safe; the maps must not be closed during a call.
     */
    final class Cursor {

        private final Generation[] all = generations;
        private int generation;
        private int segment;

        /**
         * Copies the entries of the next segment.
         *
         * @return whether there are more segments
         */
        boolean copyNext(ChronicleCopies into) {
            while (generation < all.length) {
                Generation present = all[generation];
                if (segment == present.map.segments() || !isPresent(present)) {
                    generation++;
                    segment = 0;
                    continue;
                }
                try (MapSegmentContext<byte[], byte[], ?> context = present.map.segmentContext(segment)) {
                    context.forEachSegmentEntry(entry -> into.add(entry.key(), entry.value()));
                }
                segment++;
                return true;
            }
            return false;
        }

        /**
         * Shows the keys of the next segment.
         *
         * @return whether there are more segments
         */
        boolean nextKeys(Consumer<byte[]> keys) {
            while (generation < all.length) {
                ChronicleMap<byte[], byte[]> map = all[generation].map;
                if (segment == map.segments()) {
                    generation++;
                    segment = 0;
                    continue;
                }
                try (MapSegmentContext<byte[], byte[], ?> context = map.segmentContext(segment)) {
                    context.forEachSegmentEntry(entry -> keys.accept(keyOf(entry)));
                }
                segment++;
                return true;
            }
            return false;
        }
    }

    /** Of what was written so far. Writer only. */
    double averageKeyBytes() {
        return writtenEntries == 0 ? firstAverageKeyBytes : Math.max(1, writtenKeyBytes / writtenEntries);
    }

    /** Likewise. */
    double averageValueBytes() {
        return writtenEntries == 0 ? firstAverageValueBytes : Math.max(1, writtenValueBytes / writtenEntries);
    }

    /** False once it has become empty. */
    private boolean isPresent(Generation generation) {
        for (Generation present : generations) {
            if (present == generation) {
                return true;
            }
        }
        return false;
    }

    Cursor newCursor() {
        return new Cursor();
    }

    long offHeapBytes() {
        long sum = 0;
        for (Generation generation : generations) {
            sum += generation.map.offHeapMemoryUsed();
        }
        return sum;
    }

    int generationCount() {
        return generations.length;
    }

    void close() {
        for (Generation generation : generations) {
            generation.map.close();
        }
    }

    /** A copy: {@code Data.get()} may return the same array for one entry after the other. */
    private static byte[] keyOf(MapEntry<byte[], byte[]> entry) {
        Data<byte[]> data = entry.key();
        byte[] key = new byte[(int) data.size()];
        copy(data.bytes(), data.offset(), key, 0, key.length);
        return key;
    }

    /** Copies {@code length} bytes out of a map. */
    static void copy(RandomDataInput in, long from, byte[] to, int at, int length) {
        if (length > 0) {
            OS.memory().readBytes(in.addressForRead(from), to, at, length);
        }
    }

    private Generation grow() {
        Generation[] all = generations;
        Generation newest =
                newGeneration(all[all.length - 1].capacity * growthFactor, averageKeyBytes(), averageValueBytes());
        Generation[] more = Arrays.copyOf(all, all.length + 1);
        more[all.length] = newest;
        generations = more;
        return newest;
    }

    private void drop(Generation empty) {
        Generation[] rest = Arrays.stream(generations).filter(g -> g != empty).toArray(Generation[]::new);
        generations = rest;
        gate.retire(empty.map::close);
    }

    private Generation newGeneration(long entries, double averageKeyBytes, double averageValueBytes) {
        return new Generation(
                ChronicleMaps.create(entries, averageKeyBytes, averageValueBytes, maxEntryBytes), entries);
    }

    private static <T> T nonNull(@Nullable T value) {
        if (value == null) {
            throw new StorageException("a key is neither there nor absent");
        }
        return value;
    }
}
