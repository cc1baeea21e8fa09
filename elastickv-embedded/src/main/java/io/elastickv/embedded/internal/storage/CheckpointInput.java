package io.elastickv.embedded.internal.storage;

import java.io.IOException;

/** The verified contents of a file of a checkpoint. Not thread-safe. */
public final class CheckpointInput {

    /** Whether there is more. */
    public boolean hasMore() throws IOException {
        throw new UnsupportedOperationException();
    }

    /** One byte. */
    public int getByte() throws IOException {
        throw new UnsupportedOperationException();
    }

    /** What {@link CheckpointOutput#putVarint} wrote. */
    public long getVarint() throws IOException {
        throw new UnsupportedOperationException();
    }

    /** A length of at most {@code max}, and at most what is left. */
    public int getLength(int max) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** So many bytes. */
    public byte[] getBytes(int length) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** What to throw for contents that make no sense. */
    public CheckpointDamagedException damaged(String what) {
        throw new UnsupportedOperationException();
    }
}
