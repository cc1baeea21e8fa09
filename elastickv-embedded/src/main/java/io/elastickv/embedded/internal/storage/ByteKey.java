package io.elastickv.embedded.internal.storage;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Bytes as a key of a map; they must not be changed. Comparable, so that crafted collisions cost a tree and not a list. */
final class ByteKey implements Comparable<ByteKey> {

    final byte[] bytes;
    private final int hash;

    ByteKey(byte[] bytes) {
        this.bytes = bytes;
        this.hash = Arrays.hashCode(bytes);
    }

    @Override
    public int compareTo(ByteKey other) {
        return Arrays.compare(bytes, other.bytes);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ByteKey that && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
