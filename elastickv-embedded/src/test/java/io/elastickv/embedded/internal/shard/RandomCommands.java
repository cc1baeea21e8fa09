package io.elastickv.embedded.internal.shard;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.ExpiryRule;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.StoredValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Commands on a few keys in a few slots, so that they meet often; biased towards what the model says is there. */
final class RandomCommands {

    private static final int TAGS = 5;
    private static final int KEYS_PER_TAG = 8;

    private final Random random;
    private final ShardModel model;
    private final int maxValueBytes;

    RandomCommands(Random random, ShardModel model, int maxValueBytes) {
        this.random = random;
        this.model = model;
        this.maxValueBytes = maxValueBytes;
    }

    static List<byte[]> allKeys() {
        List<byte[]> keys = new ArrayList<>();
        for (int tag = 0; tag < TAGS; tag++) {
            for (int i = 0; i < KEYS_PER_TAG; i++) {
                keys.add(key(tag, i));
            }
        }
        return keys;
    }

    private static byte[] key(int tag, int i) {
        return ("{" + tag + "}" + "k".repeat(i * i) + i).getBytes(ISO_8859_1);
    }

    byte[] key() {
        return key(random.nextInt(TAGS), random.nextInt(KEYS_PER_TAG));
    }

    Command next() {
        return switch (random.nextInt(20)) {
            case 0, 1, 2, 3, 4 -> put(random.nextInt(TAGS));
            case 5, 6 -> delete(random.nextInt(TAGS));
            case 7, 8 ->
                new Command.Increment(key(), random.nextInt(10) == 0 ? random.nextLong() : random.nextInt(9) - 4);
            case 9, 10, 11 -> expire(random.nextInt(TAGS));
            case 12, 13 -> putAll();
            case 14 -> new Command.DeleteAll(keys());
            case 15, 16, 17 -> batch();
            case 18 -> new Command.EvictExpired(allKeys());
            default ->
                random.nextInt(30) == 0
                        ? new Command.Clear()
                        : new Command.AdvanceTime(model.timeMillis + random.nextInt(20) - 10);
        };
    }

    private Command.Put put(int tag) {
        byte[] key = key(tag, random.nextInt(KEYS_PER_TAG));
        return new Command.Put(key, value(), condition(key), expiry(), random.nextBoolean());
    }

    private Command.Delete delete(int tag) {
        byte[] key = key(tag, random.nextInt(KEYS_PER_TAG));
        return new Command.Delete(key, condition(key), random.nextBoolean());
    }

    private Command.Expire expire(int tag) {
        ExpiryRule[] rules = ExpiryRule.values();
        return new Command.Expire(
                key(tag, random.nextInt(KEYS_PER_TAG)), expiry(), rules[random.nextInt(rules.length)]);
    }

    private Command.PutAll putAll() {
        List<byte[]> keys = keys();
        List<byte[]> values = new ArrayList<>();
        keys.forEach(key -> values.add(value()));
        return new Command.PutAll(keys, values);
    }

    private Command.AtomicBatch batch() {
        int tag = random.nextInt(TAGS);
        List<Command.Requirement> requirements = new ArrayList<>();
        for (int i = random.nextInt(3); i > 0; i--) {
            byte[] key = key(random.nextInt(50) == 0 ? random.nextInt(TAGS) : tag, random.nextInt(KEYS_PER_TAG));
            requirements.add(new Command.Requirement(key, condition(key)));
        }
        List<Command.Step> steps = new ArrayList<>();
        for (int i = random.nextInt(6); i > 0; i--) {
            steps.add(
                    switch (random.nextInt(4)) {
                        case 0 -> put(tag);
                        case 1 -> delete(tag);
                        case 2 -> expire(tag);
                        default -> new Command.Get(key(tag, random.nextInt(KEYS_PER_TAG)));
                    });
        }
        return new Command.AtomicBatch(requirements, steps);
    }

    private List<byte[]> keys() {
        int tag = random.nextInt(TAGS);
        List<byte[]> keys = new ArrayList<>();
        for (int i = random.nextInt(5); i > 0; i--) {
            keys.add(key(random.nextInt(50) == 0 ? random.nextInt(TAGS) : tag, random.nextInt(KEYS_PER_TAG)));
        }
        return keys;
    }

    private byte[] value() {
        if (random.nextInt(3) == 0) {
            return Long.toString(random.nextInt(4) == 0 ? random.nextLong() : random.nextInt(100))
                    .getBytes(ISO_8859_1);
        }
        byte[] value = new byte[random.nextInt(random.nextBoolean() ? 20 : maxValueBytes)];
        random.nextBytes(value);
        return value;
    }

    private Precondition condition(byte[] key) {
        StoredValue present = model.entries.get(ShardModel.s(key));
        return switch (random.nextInt(8)) {
            case 0 -> Precondition.ABSENT;
            case 1 -> Precondition.PRESENT;
            case 2 -> new Precondition.VersionIs(present == null ? 1 + random.nextInt(9) : present.version());
            case 3 ->
                new Precondition.ValueIs(
                        present == null ? value() : present.value().clone());
            default -> Precondition.ALWAYS;
        };
    }

    private ExpiryChange expiry() {
        return switch (random.nextInt(6)) {
            case 0, 1 -> ExpiryChange.KEEP;
            case 2 -> new ExpiryChange.After(random.nextInt(20) == 0 ? Long.MAX_VALUE : 1 + random.nextInt(60));
            case 3 -> new ExpiryChange.At(model.timeMillis - 10 + random.nextInt(60));
            default -> ExpiryChange.NEVER;
        };
    }
}
