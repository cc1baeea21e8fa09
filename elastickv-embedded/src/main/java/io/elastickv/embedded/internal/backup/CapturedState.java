package io.elastickv.embedded.internal.backup;

import java.io.IOException;

/** The entries of a shard as they were at one moment, held still beside a replica that goes on. For one thread. */
public interface CapturedState extends AutoCloseable {

    /** Sees the entries. */
    @FunctionalInterface
    interface EntryVisitor {

        /**
         * Sees one entry; the arrays must not be changed.
         *
         * @param expiresAtMillis milliseconds since 1970; 0 for never
         */
        void visit(byte[] key, byte[] value, long expiresAtMillis) throws IOException;
    }

    /** The entries of the shard's log up to here are in it. */
    long index();

    /** The shard's time at that moment, in milliseconds since 1970. */
    long logTimeMillis();

    /**
     * Shows some more entries, a bounded number.
     *
     * @return whether there are more
     * @throws IOException if the state could not be held any longer; the message says why
     */
    boolean step(EntryVisitor visitor) throws IOException;

    /** Lets it go. Any thread; idempotent. */
    @Override
    void close();
}
