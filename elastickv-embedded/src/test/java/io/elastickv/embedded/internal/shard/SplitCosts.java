package io.elastickv.embedded.internal.shard;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.util.Arrays;

/**
 * Prints how long a split holds up the writes of a large shard, and what the writes after it cost: a main, not a test.
 * Arguments: engine, keys, slots per bucket (16384: all keys are in the bucket that is divided).
 */
final class SplitCosts {

    private static final int SESSIONS = 1_000;

    private SplitCosts() {}

    public static void main(String[] args) {
        StorageEngine engine = StorageEngine.valueOf(args.length > 0 ? args[0] : "OFF_HEAP");
        int keys = args.length > 1 ? Integer.parseInt(args[1]) : 1_000_000;
        StorageOptions defaults = StorageOptions.DEFAULTS;
        StorageOptions options = new StorageOptions(
                args.length > 2 ? Integer.parseInt(args[2]) : defaults.slotsPerBucket(),
                defaults.initialEntries(),
                defaults.growthFactor(),
                defaults.maxInlineValueBytes());
        engine.checkStart();
        run(engine, options, keys / 10, false);
        for (int round = 0; round < 3; round++) {
            System.out.printf("%s, %,d keys, %d slots per bucket%n", engine, keys, options.slotsPerBucket());
            run(engine, options, keys, true);
        }
    }

    private static byte[] put(int n) {
        byte[] key = ("key-of-16-b" + n).getBytes(US_ASCII);
        return CommandCodec.encode(
                Envelope.of(new Command.Put(key, new byte[100], Precondition.ALWAYS, ExpiryChange.NEVER, false)));
    }

    private static void run(StorageEngine engine, StorageOptions options, int keys, boolean print) {
        ShardStateMachine left = ShardStateMachine.create(1, 1, SlotRanges.of(0, 16383), engine, options);
        ShardStateMachine[] right = new ShardStateMachine[1];
        left.onSplit((parent, split, child) -> right[0] = child);
        long index = 0;
        for (int i = 0; i < SESSIONS; i++) {
            left.apply(++index, CommandCodec.encode(Envelope.of(new Command.OpenSession("node"))));
        }
        for (int n = 0; n < keys; n++) {
            left.apply(++index, put(n));
        }
        byte[] split = CommandCodec.encode(Envelope.of(new Command.SplitShard(1, 2, 8192 + 100, 2, 1, new byte[100])));
        double before = median(left, null, keys, index, 100_000);
        index += 100_000;
        long start = System.nanoTime();
        left.apply(++index, split);
        long nanos = System.nanoTime() - start;
        long[] times = writes(left, right[0], keys, index, 400_000);
        index += 400_000;
        int writes = 400_000;
        boolean more = true;
        while (more) {
            boolean moreLeft = left.tidyUp(1_000);
            more = right[0].tidyUp(1_000) || moreLeft;
            writes += 1_000 / 8;
        }
        double after = median(left, right[0], keys, index, 100_000);
        if (print) {
            System.out.printf(
                    "  split %,d us; writes before: median %.1f us; the first 400,000 after: first %,d us, largest %,d us,"
                            + " p99.9 %,d us, median %.1f us; moved after about %,d; later: median %.1f us%n",
                    nanos / 1_000,
                    before,
                    times[0] / 1_000,
                    Arrays.stream(times).max().orElse(0) / 1_000,
                    at(times, 0.999) / 1_000,
                    at(times, 0.5) / 1e3,
                    writes,
                    after);
        }
        left.close();
        right[0].close();
    }

    private static double median(ShardStateMachine left, ShardStateMachine right, int keys, long index, int count) {
        return at(writes(left, right, keys, index, count), 0.5) / 1e3;
    }

    private static long at(long[] times, double part) {
        long[] sorted = times.clone();
        Arrays.sort(sorted);
        return sorted[(int) (part * (sorted.length - 1))];
    }

    private static long[] writes(ShardStateMachine left, ShardStateMachine right, int keys, long from, int count) {
        long[] times = new long[count];
        long index = from;
        for (int i = 0; i < count; i++) {
            int n = (int) ((i * 7_919L) % keys);
            byte[] key = ("key-of-16-b" + n).getBytes(US_ASCII);
            byte[] put = put(n);
            ShardStateMachine machine = right != null && KeySlot.of(key) >= 8192 + 100 ? right : left;
            long start = System.nanoTime();
            machine.apply(++index, put);
            times[i] = System.nanoTime() - start;
        }
        return times;
    }
}
