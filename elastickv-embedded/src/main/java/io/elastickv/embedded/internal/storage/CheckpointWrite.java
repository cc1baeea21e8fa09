package io.elastickv.embedded.internal.storage;

import java.io.IOException;

/** A checkpoint being written, step by step, for whoever wants to do other things between. For one thread. */
public final class CheckpointWrite {

    /**
     * Does the next piece of bounded size.
     *
     * @return whether there is more to do
     * @throws CaptureFailedException if the state could not be held; the host tries again later
     */
    public boolean step() throws IOException {
        throw new UnsupportedOperationException();
    }

    /** The checkpoint, once {@link #step} has returned false. */
    public CheckpointManifest manifest() {
        throw new UnsupportedOperationException();
    }

    /** Deletes what was written unless it is complete. Idempotent. */
    public void abandon() throws IOException {
        throw new UnsupportedOperationException();
    }
}
