package io.elastickv.embedded.internal.storage;

import java.io.IOException;

/** The contents of a file of a checkpoint while it is written. Not thread-safe. */
public final class CheckpointOutput {

    /** One byte. */
    public void putByte(int value) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** LEB128 of the unsigned value. */
    public void putVarint(long value) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** These bytes, without their length. */
    public void putBytes(byte[] bytes, int offset, int length) throws IOException {
        throw new UnsupportedOperationException();
    }
}
