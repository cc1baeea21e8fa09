package io.elastickv.benchmarks;

import io.elastickv.api.Bytes;
import io.elastickv.api.UnsafeBytes;
import java.nio.ByteBuffer;
import java.util.Locale;

/** Keys and values that follow from a number, so that what is read can be checked without having been kept. */
final class Workload {

    /** The size of a key. */
    static final int KEY_BYTES = 16;

    private Workload() {}

    /** The key with {@code index}: {@link #KEY_BYTES} hexadecimal digits, different for each index. */
    static Bytes key(long index) {
        return Bytes.utf8(String.format(Locale.ROOT, "%016x", mix(index)));
    }

    /** The keys with the indices 0 to {@code count}, excluded. */
    static Bytes[] keys(int count) {
        Bytes[] keys = new Bytes[count];
        for (int i = 0; i < count; i++) {
            keys[i] = key(i);
        }
        return keys;
    }

    /** The value that belongs to {@code index}. */
    static Bytes value(long index, int size) {
        ByteBuffer bytes = ByteBuffer.allocate((size + Long.BYTES - 1) / Long.BYTES * Long.BYTES);
        for (long word = mix(~index); bytes.hasRemaining(); word = mix(word)) {
            bytes.putLong(word);
        }
        return size == bytes.capacity() ? UnsafeBytes.wrap(bytes.array()) : Bytes.copyOf(bytes.array(), 0, size);
    }

    /** A permutation of all longs: the finalizer of SplitMix64 (Steele, Lea, Flood: Fast Splittable PRNGs, 2014). */
    static long mix(long z) {
        long x = z + 0x9e3779b97f4a7c15L;
        x = (x ^ (x >>> 30)) * 0xbf58476d1ce4e5b9L;
        x = (x ^ (x >>> 27)) * 0x94d049bb133111ebL;
        return x ^ (x >>> 31);
    }
}
