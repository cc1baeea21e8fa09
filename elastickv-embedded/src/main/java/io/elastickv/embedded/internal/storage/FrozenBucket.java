package io.elastickv.embedded.internal.storage;

import java.util.concurrent.atomic.AtomicInteger;

/** A bucket that nobody changes any more; it is closed when the last who needs it has released it. Thread-safe. */
final class FrozenBucket {

    private final Bucket bucket;
    private final AtomicInteger owners;

    /**
     * Takes a bucket over.
     *
     * @param owners how many need it
     */
    FrozenBucket(Bucket bucket, int owners) {
        this.bucket = bucket;
        this.owners = new AtomicInteger(owners);
    }

    /** Valid until whoever asks has released it. */
    Bucket bucket() {
        return bucket;
    }

    /** One more needs it; by somebody who does. */
    void retain() {
        owners.incrementAndGet();
    }

    /** One less. */
    void release() {
        if (owners.decrementAndGet() == 0) {
            bucket.close();
        }
    }
}
