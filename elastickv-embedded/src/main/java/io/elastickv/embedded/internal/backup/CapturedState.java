package io.elastickv.embedded.internal.backup;

import io.elastickv.embedded.internal.storage.EntrySink;
import java.io.IOException;

/** The entries of a shard as they were at one moment, held still beside a replica that goes on. For one thread. */
public interface CapturedState extends AutoCloseable {

    /** The entries of the shard's log up to here are in it. */
    long index();

    /** The shard's time at that moment, in milliseconds since 1970. */
    long logTimeMillis();

    /**
     * Shows some more entries, a bounded number. One that is changed meanwhile may be shown twice, equally.
     *
     * @return whether there are more
     * @throws IOException if the state could not be held any longer; the message says why
     */
    boolean step(EntrySink sink) throws IOException;

    /** Lets it go. Any thread; idempotent. */
    @Override
    void close();
}
