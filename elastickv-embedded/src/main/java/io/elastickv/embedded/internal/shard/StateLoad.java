package io.elastickv.embedded.internal.shard;

import java.io.IOException;

/** A state being read from a checkpoint. Different files may be loaded by different threads at the same time. */
public final class StateLoad implements AutoCloseable {

    /** How many files there are. */
    public int fileCount() {
        throw new UnsupportedOperationException();
    }

    /** Loads one of them, from 0 on, each once. */
    public void loadFile(int file) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** The state, once all files are loaded; it is the caller's. */
    public LoadedState finish() throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Frees what was loaded, unless it is finished. Idempotent; no file may be loading. */
    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
