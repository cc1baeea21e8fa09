package io.elastickv.embedded.internal.storage;

import java.io.IOException;

/**
 * A walk over a bucket in small steps, beside the writer. Every entry that is not changed during the walk is shown once;
 * one that is may be shown, as it was or as it is, or not. Nothing is held while an entry is shown. For one thread. The
 * bucket may be closed beside it: then a step throws {@link StorageException}, or shows too little.
 */
interface BucketPass {

    /**
     * Shows some entries.
     *
     * @return whether there are more
     */
    boolean step(Visitor visitor) throws IOException;

    /** Sees entries. The arrays are valid during the call only. */
    interface Visitor {

        /** Whether this entry shall be shown; asked after it was read. */
        boolean wants(byte[] keyIn, int keyOffset, int keyLength);

        /** Sees an entry that was asked for. */
        void entry(
                byte[] keyIn,
                int keyOffset,
                int keyLength,
                byte[] valueIn,
                int valueOffset,
                int valueLength,
                long version,
                long expiresAtMillis)
                throws IOException;
    }
}
