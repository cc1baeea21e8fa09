package io.elastickv.embedded.internal.storage;

import java.io.IOException;

/** Takes the entries of a bucket. The arrays are valid during the call only. */
public interface EntrySink {

    /**
     * Takes one entry.
     *
     * @param version the log index of the last change of the value
     * @param expiresAtMillis milliseconds since 1970; 0 for never
     */
    void putEntry(
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
