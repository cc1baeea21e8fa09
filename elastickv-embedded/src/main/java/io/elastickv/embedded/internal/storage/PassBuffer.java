package io.elastickv.embedded.internal.storage;

import java.util.Arrays;

/** Memory that one walk after the other uses, see {@link BucketPass}. Not thread-safe. */
final class PassBuffer {

    private static final int INITIAL_BYTES = 64 * 1024;
    private static final int MAX_BYTES = Integer.MAX_VALUE - 8;

    private byte[] bytes = {};

    byte[] bytes() {
        return bytes;
    }

    /** The same bytes, in an array of at least {@code length}. */
    byte[] atLeast(int length) {
        if (length > bytes.length) {
            long twice = Math.max(INITIAL_BYTES, 2L * bytes.length);
            bytes = Arrays.copyOf(bytes, (int) Math.min(MAX_BYTES, Math.max(length, twice)));
        }
        return bytes;
    }
}
