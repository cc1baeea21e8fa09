package io.elastickv.embedded;

import io.elastickv.api.Bytes;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.ReadConsistency;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * Writes a few hundred keys of different kinds, knows what the store must contain, and compares. One writer at a time; a failed
 * write is an error, so that the content is never in doubt.
 */
final class ContentModel {

    private static final int KEYS = 150;
    private static final int COUNTERS = 5;
    private static final int LARGE_VALUES = 3;
    private static final int LARGE_BYTES = 30_000;

    private final SplittableRandom random;
    private final Map<String, Optional<Bytes>> content = new TreeMap<>();

    ContentModel(long seed) {
        this.random = new SplittableRandom(seed);
    }

    /** Writes {@code count} times. */
    void write(KeyValueStore store, int count) {
        Map<Bytes, Bytes> puts = new HashMap<>();
        for (int i = 0; i < count; i++) {
            int dice = random.nextInt(100);
            String name = "key-" + random.nextInt(KEYS);
            if (dice < 80) {
                byte[] value = new byte[random.nextInt(400)];
                random.nextBytes(value);
                puts.put(Bytes.utf8(name), Bytes.copyOf(value));
                content.put(name, Optional.of(Bytes.copyOf(value)));
            } else if (dice < 90) {
                store.putAll(puts);
                puts.clear();
                store.delete(Bytes.utf8(name));
                content.put(name, Optional.empty());
            } else if (dice < 98) {
                String counter = "counter-" + random.nextInt(COUNTERS);
                content.put(counter, Optional.of(Bytes.utf8("" + store.increment(Bytes.utf8(counter), 3))));
            } else {
                String large = "large-" + random.nextInt(LARGE_VALUES);
                byte[] value = new byte[LARGE_BYTES + random.nextInt(100)];
                random.nextBytes(value);
                store.put(Bytes.utf8(large), Bytes.copyOf(value));
                content.put(large, Optional.of(Bytes.copyOf(value)));
            }
        }
        if (!puts.isEmpty()) {
            store.putAll(puts);
        }
    }

    /** What differs between the model and what {@code store} reads with {@code consistency}; empty if nothing does. */
    List<String> differences(KeyValueStore store, ReadConsistency consistency) {
        List<String> differences = new ArrayList<>();
        content.forEach((name, expected) -> {
            Optional<Bytes> found = store.get(Bytes.utf8(name), consistency).map(value -> value.value());
            if (!found.equals(expected)) {
                differences.add(name + " is " + found + ", expected " + expected);
            }
        });
        return differences;
    }

    /** How many keys there are. */
    long size() {
        return content.values().stream().filter(Optional::isPresent).count();
    }

    /** Some key of the model. */
    Bytes someKey() {
        return Bytes.utf8("key-" + random.nextInt(KEYS));
    }
}
