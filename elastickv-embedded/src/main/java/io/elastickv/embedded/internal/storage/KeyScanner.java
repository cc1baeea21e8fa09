package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.command.ScanPosition;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Reads keys in scan order out of buckets that cannot seek. A pass over a bucket keeps the keys of a window of the
 * order, sorted; a few windows are kept for the next pages. A window is used only for the scan whose id it was made
 * under, so it is not older than that scan's beginning, and a key that exists during the whole scan is in it. Scan ids
 * can collide, therefore the first page in a bucket always makes a new window.
 */
final class KeyScanner {

    /** Bounds the memory: this many keys at most are kept of one pass. */
    private static final int WINDOW_KEYS = 16_384;

    private static final int WINDOWS = 4;

    private record Key(long order, byte[] bytes) {}

    private record WindowId(int bucketFirstSlot, int scanId) {}

    /** All keys of {@code bucket} with an order from {@code from} on and below {@code end}, sorted. */
    private record Window(BucketHolder holder, long from, long end, Key[] keys) {
        int indexOf(long order) {
            int low = 0;
            int high = keys.length;
            while (low < high) {
                int middle = (low + high) >>> 1;
                if (keys[middle].order < order) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            return low;
        }
    }

    private final ShardStore store;

    private final Map<WindowId, Window> windows = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<WindowId, Window> eldest) {
            return size() > WINDOWS;
        }
    };

    KeyScanner(ShardStore store) {
        this.store = store;
    }

    ScanResult scan(long fromOrder, long endOrder, int scanId, int limit) {
        List<byte[]> found = new ArrayList<>();
        long position = fromOrder;
        while (position < endOrder) {
            int slot = (int) (position >>> 32);
            int bucketFirst = slot & -store.slotsPerBucket();
            long bucketEnd = Math.min(endOrder, ScanPosition.order(bucketFirst + store.slotsPerBucket(), 0));
            BucketHolder holder = store.holder(slot);
            if (holder == null) {
                position = bucketEnd;
                continue;
            }
            if (found.size() >= limit) {
                break;
            }
            boolean first = position == ScanPosition.order(Math.max(bucketFirst, store.firstSlot()), 0);
            WindowId id = new WindowId(bucketFirst, scanId);
            Window window = scanId == 0 || first ? null : kept(id, holder, position);
            if (window == null) {
                window = pass(holder, position, bucketEnd, WINDOW_KEYS);
                if (scanId != 0) {
                    keep(id, window);
                }
            }
            int i = window.indexOf(position);
            while (i < window.keys.length) {
                long order = window.keys[i].order;
                if (found.size() >= limit) {
                    return new ScanResult(found, order);
                }
                while (i < window.keys.length && window.keys[i].order == order) {
                    if (isAlive((int) (order >>> 32), window.keys[i].bytes)) {
                        found.add(window.keys[i].bytes);
                    }
                    i++;
                }
            }
            position = Math.min(bucketEnd, window.end);
            if (position == bucketEnd) {
                forget(id);
            }
        }
        return new ScanResult(found, position);
    }

    List<byte[]> keysOfSlot(int slot, int limit) {
        List<byte[]> found = new ArrayList<>();
        BucketHolder holder = store.holder(slot);
        long time = store.logTimeMillis();
        if (holder != null && store.keyCountOpaque(slot) > 0) {
            holder.bucket().forEach((key, expiresAtMillis) -> {
                if (found.size() < limit && store.slotOf(key) == slot && !Timed.isExpired(expiresAtMillis, time)) {
                    found.add(key);
                }
            });
        }
        return found;
    }

    /** A slot at random, weighted by its keys, and a key of it; if all of those are expired, any key of its bucket or the next. */
    byte @Nullable [] randomKey(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        long size = store.size();
        if (size <= 0) {
            return null;
        }
        long skip = random.nextLong(size);
        int chosen = store.firstSlot();
        for (int slot = store.firstSlot(); slot <= store.lastSlot(); slot++) {
            int count = store.keyCountOpaque(slot);
            if (count > 0) {
                chosen = slot;
                skip -= count;
                if (skip < 0) {
                    break;
                }
            }
        }
        int wanted = chosen;
        long time = store.logTimeMillis();
        int bucketFirst = chosen & -store.slotsPerBucket();
        int buckets = store.lastSlot() / store.slotsPerBucket() - store.firstSlot() / store.slotsPerBucket() + 1;
        for (int i = 0; i < buckets; i++) {
            BucketHolder holder = store.holder(Math.max(bucketFirst, store.firstSlot()));
            if (holder != null) {
                byte[][] picked = new byte[2][];
                int[] seen = new int[2];
                holder.bucket().forEach((key, expiresAtMillis) -> {
                    if (!Timed.isExpired(expiresAtMillis, time)) {
                        int which = store.slotOf(key) == wanted ? 0 : 1;
                        if (random.nextInt(++seen[which]) == 0) {
                            picked[which] = key;
                        }
                    }
                });
                if (seen[0] + seen[1] > 0) {
                    return seen[0] > 0 ? picked[0] : picked[1];
                }
            }
            bucketFirst += store.slotsPerBucket();
            if (bucketFirst > store.lastSlot()) {
                bucketFirst = store.firstSlot() & -store.slotsPerBucket();
            }
        }
        return null;
    }

    private boolean isAlive(int slot, byte[] key) {
        Timed<EntryInfo> info = store.describe(slot, key);
        EntryInfo entry = info.value();
        return entry != null && !Timed.isExpired(entry.expiresAtMillis(), info.logTimeMillis());
    }

    private @Nullable Window kept(WindowId id, BucketHolder holder, long position) {
        synchronized (windows) {
            Window window = windows.get(id);
            return window != null && window.holder == holder && window.from <= position && position < window.end
                    ? window
                    : null;
        }
    }

    private void keep(WindowId id, Window window) {
        synchronized (windows) {
            windows.put(id, window);
        }
    }

    private void forget(WindowId id) {
        synchronized (windows) {
            windows.remove(id);
        }
    }

    /** The first {@code atMost} keys or so of a bucket from {@code from} on; at least all those of the first order. */
    private Window pass(BucketHolder holder, long from, long end, int atMost) {
        WindowBuilder builder = new WindowBuilder(from, end, atMost);
        holder.bucket()
                .forEach((key, expiresAtMillis) ->
                        builder.add(ScanPosition.order(store.slotOf(key), ScanPosition.hash(key)), key));
        Key[] keys = builder.finish();
        if (keys.length == 0 && builder.end < end) {
            // More keys with one order than a window holds: they must stay together.
            return pass(holder, from, end, Math.multiplyExact(atMost, 4));
        }
        return new Window(holder, from, builder.end, keys);
    }

    /** Keeps the smallest keys of those added. */
    private static final class WindowBuilder {

        private final long from;
        private final int atMost;
        private final List<Key> keys = new ArrayList<>();
        private long end;

        WindowBuilder(long from, long end, int atMost) {
            this.from = from;
            this.end = end;
            this.atMost = atMost;
        }

        void add(long order, byte[] key) {
            if (order >= from && order < end) {
                keys.add(new Key(order, key));
                if (keys.size() >= 2L * atMost) {
                    cut();
                }
            }
        }

        Key[] finish() {
            if (keys.size() > atMost) {
                cut();
            }
            Key[] sorted = keys.toArray(new Key[0]);
            Arrays.sort(sorted, Comparator.comparingLong(Key::order));
            return sorted;
        }

        private void cut() {
            keys.sort(Comparator.comparingLong(Key::order));
            end = keys.get(atMost).order;
            int size = atMost;
            while (size > 0 && keys.get(size - 1).order >= end) {
                size--;
            }
            keys.subList(size, keys.size()).clear();
        }
    }
}
