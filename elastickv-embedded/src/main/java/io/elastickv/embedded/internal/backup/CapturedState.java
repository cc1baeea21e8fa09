package io.elastickv.embedded.internal.backup;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.storage.EntrySink;
import java.io.IOException;
import java.util.List;

/** The entries of a shard as they were at one moment, held still beside a replica that goes on. For one thread. */
public interface CapturedState extends AutoCloseable {

    /** The entries of the shard's log up to here are in it. */
    long index();

    /** What the shard owned at that moment: of all other slots there are no entries. */
    List<SlotRange> slots();

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
