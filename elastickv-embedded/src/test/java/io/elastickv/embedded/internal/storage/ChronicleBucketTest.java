package io.elastickv.embedded.internal.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.internal.command.StoredValue;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ChronicleBucketTest {

    private static byte[] key(long n) {
        return ByteBuffer.allocate(8).putLong(n).array();
    }

    /**
     * What loses entries of a bare Chronicle Map: far more than its capacity, then every value replaced by larger ones
     * again and again.
     */
    @Test
    void growingOverwritesFarBeyondTheCapacityLoseNothing() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        ReaderGate gate = new ReaderGate();
        ChronicleBucket bucket = new ChronicleBucket(new GateRef(gate), new StorageOptions(256, 64, 2, 16 * 1024));
        int keys = 10_000;
        Map<Integer, byte[]> model = new HashMap<>();
        for (int size : new int[] {10, 120, 400, 1_500, 5_000}) {
            for (int i = 0; i < keys; i++) {
                int n = random.nextInt(keys);
                byte[] value = new byte[random.nextInt(size) + size];
                random.nextBytes(value);
                assertThat(bucket.put(key(n), value, i, 0) == Bucket.ABSENT)
                        .as("seed %d", seed)
                        .isEqualTo(model.put(n, value) == null);
            }
            for (int n = 0; n < keys; n++) {
                StoredValue found = (StoredValue) bucket.find(key(n));
                byte[] expected = model.get(n);
                assertThat(found == null ? expected == null : Arrays.equals(found.value(), expected))
                        .as("seed %d, size %d, key %d", seed, size, n)
                        .isTrue();
            }
        }
        assertThat(bucket.generationCount()).isGreaterThan(1);
        Set<Long> seen = new HashSet<>();
        bucket.forEach((key, expiresAtMillis) -> seen.add(ByteBuffer.wrap(key).getLong()));
        assertThat(seen).hasSameSizeAs(model.keySet());
        for (int n = 0; n < keys; n++) {
            assertThat(bucket.remove(key(n)) != Bucket.ABSENT).isEqualTo(model.containsKey(n));
            assertThat(bucket.find(key(n))).isNull();
        }
        assertThat(bucket.generationCount()).as("empty maps are dropped").isEqualTo(1);
        bucket.close();
    }

    @Test
    void piecesOfReplacedValuesAreFreed() {
        StorageOptions options = new StorageOptions(256, 64, 2, 1024);
        ChronicleBucket bucket = new ChronicleBucket(new GateRef(new ReaderGate()), options);
        byte[] value = new byte[300_000];
        for (int i = 0; i < 50; i++) {
            bucket.put(key(1), value, i, 0);
        }
        long before = bucket.offHeapBytes();
        for (int i = 0; i < 300; i++) {
            bucket.put(key(1), value, i, 0);
            if (i % 10 == 0) {
                bucket.remove(key(1));
            }
        }
        assertThat(bucket.offHeapBytes()).isLessThanOrEqualTo(before * 3);
        bucket.close();
    }

    @Test
    void aRetiredMapIsClosedOnlyWhenItsReadersHaveLeft() {
        ReaderGate gate = new ReaderGate();
        AtomicLong closed = new AtomicLong();
        int reader = gate.enter();
        gate.retire(closed::incrementAndGet);
        gate.poll();
        assertThat(closed).hasValue(0);
        int later = gate.enter();
        gate.poll();
        assertThat(closed).hasValue(0);
        gate.exit(reader);
        gate.poll();
        assertThat(closed).hasValue(1);
        gate.exit(later);
        gate.retire(closed::incrementAndGet);
        assertThat(closed).hasValue(2);
        assertThat(gate.close(1)).isTrue();
    }
}
