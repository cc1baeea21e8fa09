package io.elastickv.embedded.internal.storage;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A bucket with what is known of it: when its entries expire, so that looking for expired ones costs nothing when none is
 * due; how many they are and when they were changed last; and who wants to see what it had before a change.
 */
final class BucketHolder {

    /** Guards it. */
    final GateRef gate;
    /** Replaced by the writer only, by one with the same entries. */
    private volatile Bucket bucket;
    // Of the writer:
    private long lastChange;
    private long keys;
    /** The first of a chain. */
    private @Nullable BucketCapture captures;

    /** How many entries have an expiry time. Changed by the writer only. */
    private final AtomicInteger expiringEntries = new AtomicInteger();
    /** No entry expires before. */
    private final AtomicLong earliestExpiryMillis = new AtomicLong(Long.MAX_VALUE);

    BucketHolder(Bucket bucket, GateRef gate) {
        this.bucket = bucket;
        this.gate = gate;
    }

    /** The holder of {@code keys} of the entries that {@code before} has, since the log's entry at {@code index}. */
    BucketHolder(Bucket bucket, GateRef gate, BucketHolder before, long index, long keys) {
        this(bucket, gate);
        this.lastChange = index;
        this.keys = keys;
        // Too many, which costs a look now and then; corrected once they are counted.
        this.expiringEntries.set(before.expiringEntries.getPlain());
        this.earliestExpiryMillis.set(before.earliestExpiryMillis.get());
    }

    /** The bucket itself. Any thread that is inside of the gate. */
    Bucket bucket() {
        return bucket;
    }

    // ---- for the writer ----

    /** The index of the log's last entry that changed the bucket. */
    long lastChange() {
        return lastChange;
    }

    long keys() {
        return keys;
    }

    /** Somebody wants to see what entries had before a change. */
    void addCapture(BucketCapture capture) {
        capture.next = captures;
        captures = capture;
    }

    /** And no longer. */
    void removeCapture(BucketCapture capture) {
        if (captures == capture) {
            captures = capture.next;
            return;
        }
        for (BucketCapture other = captures; other != null; other = other.next) {
            if (other.next == capture) {
                other.next = capture.next;
                return;
            }
        }
    }

    boolean isCaptured() {
        return captures != null;
    }

    /** Another bucket has the same entries from now on; nobody captures. */
    void replaceBucket(Bucket same) {
        bucket = same;
    }

    /** How many entries are taken to have an expiry time. */
    int expiringEntries() {
        return expiringEntries.getPlain();
    }

    /** So many fewer entries have an expiry time than was taken for granted. */
    void correctExpiring(int tooMany) {
        expiringEntries.lazySet(expiringEntries.getPlain() - tooMany);
    }

    /** Before the entry of {@code key} is changed. */
    void beforeChange(byte[] key) {
        for (BucketCapture capture = captures; capture != null; capture = capture.next) {
            capture.beforeChange(key);
        }
    }

    /** After a change by the log's entry at {@code index}, which added so many keys. */
    void changed(long index, int addedKeys) {
        lastChange = index;
        keys += addedKeys;
    }

    /** For the writer: an entry's expiry time was replaced, after the bucket has it; 0 for never. */
    void replaced(long oldExpiresAtMillis, long newExpiresAtMillis) {
        int change = (newExpiresAtMillis > 0 ? 1 : 0) - (oldExpiresAtMillis > 0 ? 1 : 0);
        if (change != 0) {
            expiringEntries.lazySet(expiringEntries.getPlain() + change);
        }
        if (newExpiresAtMillis > 0) {
            lower(newExpiresAtMillis);
        }
    }

    boolean hasDue(long nowMillis) {
        return expiringEntries.get() > 0 && earliestExpiryMillis.get() <= nowMillis;
    }

    /** Adds keys that are expired at {@code nowMillis}, until there are {@code limit}; one caller at a time. */
    void collectExpired(long nowMillis, int limit, List<byte[]> into) {
        // Writers lower it while the pass runs; what the pass sees is merged afterwards, collected ones included,
        // because
        // nobody promises that they will be deleted.
        earliestExpiryMillis.set(Long.MAX_VALUE);
        long[] earliest = {Long.MAX_VALUE};
        try {
            bucket.forEach((key, expiresAtMillis) -> {
                if (expiresAtMillis > 0) {
                    earliest[0] = Math.min(earliest[0], expiresAtMillis);
                    if (expiresAtMillis <= nowMillis && into.size() < limit) {
                        into.add(key);
                    }
                }
            });
        } catch (RuntimeException e) {
            earliest[0] = 0;
            throw e;
        } finally {
            lower(earliest[0]);
        }
    }

    private void lower(long expiresAtMillis) {
        long present = earliestExpiryMillis.get();
        while (expiresAtMillis < present) {
            if (earliestExpiryMillis.compareAndSet(present, expiresAtMillis)) {
                return;
            }
            present = earliestExpiryMillis.get();
        }
    }
}
