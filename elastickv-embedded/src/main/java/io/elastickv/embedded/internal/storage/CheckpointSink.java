package io.elastickv.embedded.internal.storage;

import java.io.IOException;

/** Takes what is read from a checkpoint. May be called by several threads at once, each with another file. */
public interface CheckpointSink {

    /**
     * One entry; the arrays pass to the sink. An entry may come twice, equal both times.
     *
     * @param file where it comes from
     * @param expiresAtMillis 0 for never
     */
    void entry(CheckpointFile file, byte[] key, byte[] value, long version, long expiresAtMillis) throws IOException;

    /** What is remembered for retries. Must read to the end. */
    void sessions(CheckpointFile file, CheckpointInput in) throws IOException;

    /** Nothing comes from {@code file} any more; {@link CheckpointInput#damaged} makes what to throw if that is wrong. */
    default void endOfFile(CheckpointFile file, CheckpointInput in) throws IOException {}
}
