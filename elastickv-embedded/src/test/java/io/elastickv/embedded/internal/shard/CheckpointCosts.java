package io.elastickv.embedded.internal.shard;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.files.NodeFiles;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Prints what checkpoints cost: a main, not a test. Arguments: engine, keys, directory (a temporary one if there is none).
 */
final class CheckpointCosts {

    private static final int SHARDS = 8;
    private static final int SLOTS = KeySlot.COUNT / SHARDS;
    private static final byte[] NOBODY = {};

    private CheckpointCosts() {}

    public static void main(String[] args) throws Exception {
        StorageEngine engine = StorageEngine.valueOf(args.length > 0 ? args[0] : "OFF_HEAP");
        int keys = args.length > 1 ? Integer.parseInt(args[1]) : 1_000_000;
        Path directory = args.length > 2 ? Path.of(args[2]) : Files.createTempDirectory("checkpoints");
        engine.checkStart();
        List<ShardStateMachine> machines = machines(engine);
        for (int n = 0; n < keys; n++) {
            put(machines, n);
        }
        List<CheckpointDirectory> directories = new ArrayList<>();
        for (int shard = 0; shard < SHARDS; shard++) {
            directories.add(
                    CheckpointDirectory.open(NodeFiles.system(), directory.resolve(Integer.toString(shard)), shard));
        }
        for (int round = 0; round < 3; round++) {
            write(machines, directories, keys, "checkpoint of everything");
            load(engine, directories, keys);
            for (int n = 0; n < keys; n += keys / 1_000) {
                put(machines, n); // touches every bucket
            }
        }
        write(machines, directories, keys, "checkpoint of everything");
        for (int n = 0; n < 20; n++) {
            put(machines, n);
        }
        write(machines, directories, keys, "checkpoint after 20 puts more");
        busy(machines, directories, keys);
        for (CheckpointDirectory each : directories) {
            each.delete();
        }
        machines.forEach(ShardStateMachine::close);
    }

    private static List<ShardStateMachine> machines(StorageEngine engine) {
        List<ShardStateMachine> machines = new ArrayList<>();
        for (int shard = 0; shard < SHARDS; shard++) {
            machines.add(ShardStateMachine.create(
                    shard,
                    1,
                    SlotRanges.of(shard * SLOTS, shard * SLOTS + SLOTS - 1),
                    engine,
                    StorageOptions.DEFAULTS));
        }
        return machines;
    }

    private static void put(List<ShardStateMachine> machines, long n) {
        byte[] key = new byte[16];
        ByteBuffer.wrap(key).putLong(n * 0x9E3779B97F4A7C15L).putLong(n);
        ShardStateMachine machine = machines.get(KeySlot.of(key) / SLOTS);
        machine.apply(
                machine.appliedIndex() + 1,
                CommandCodec.encode(Envelope.of(
                        new Command.Put(key, new byte[100], Precondition.ALWAYS, ExpiryChange.NEVER, false))));
    }

    private static void write(
            List<ShardStateMachine> machines, List<CheckpointDirectory> directories, int keys, String what)
            throws IOException {
        long nanos = System.nanoTime();
        long cpu = cpuNanos();
        long bytes = 0;
        for (int shard = 0; shard < SHARDS; shard++) {
            try (StateCapture capture = machines.get(shard).beginCapture()) {
                bytes += directories.get(shard).write(capture, 1, NOBODY).totalBytes();
            }
            directories.get(shard).retain(2);
        }
        print(what, keys, bytes, System.nanoTime() - nanos, cpuNanos() - cpu);
    }

    private static void load(StorageEngine engine, List<CheckpointDirectory> directories, int keys) throws IOException {
        List<ShardStateMachine> machines = machines(engine);
        long nanos = System.nanoTime();
        long cpu = cpuNanos();
        long bytes = 0;
        for (int shard = 0; shard < SHARDS; shard++) {
            CheckpointManifest newest = directories.get(shard).manifests().get(0);
            ShardStateMachine machine = machines.get(shard);
            machine.install(machine.load(directories.get(shard), newest));
            bytes += newest.totalBytes();
        }
        print("load", keys, bytes, System.nanoTime() - nanos, cpuNanos() - cpu);
        machines.forEach(ShardStateMachine::close);
    }

    private static void print(String what, int keys, long bytes, long nanos, long cpu) {
        System.out.printf(
                "%s: %,d entries, %,d KB in %,d ms, CPU %,d ms: %,d entries/s, %,d MB/s%n",
                what,
                keys,
                bytes >> 10,
                nanos / 1_000_000,
                cpu / 1_000_000,
                keys * 1_000_000_000L / nanos,
                bytes * 1_000 / nanos);
    }

    /** What a checkpoint does to puts beside it. */
    private static void busy(List<ShardStateMachine> machines, List<CheckpointDirectory> directories, int keys)
            throws InterruptedException {
        SplittableRandom random = new SplittableRandom(1);
        puts(machines, random, keys, () -> false, "puts alone");
        for (int round = 0; round < 2; round++) {
            List<StateCapture> captures = new ArrayList<>();
            long cpu = cpuNanos();
            machines.forEach(machine -> captures.add(machine.beginCapture()));
            System.out.printf("%d captures begun in CPU %d us%n", SHARDS, (cpuNanos() - cpu) / 1_000);
            Thread writer = new Thread(() -> {
                for (int shard = 0; shard < SHARDS; shard++) {
                    try (StateCapture capture = captures.get(shard)) {
                        directories.get(shard).write(capture, 1, NOBODY);
                    } catch (IOException e) {
                        System.out.println(e.getMessage());
                    }
                }
            });
            writer.start();
            puts(machines, random, keys, writer::isAlive, "puts beside a checkpoint of all");
            writer.join();
        }
    }

    private static void puts(
            List<ShardStateMachine> machines,
            SplittableRandom random,
            int keys,
            java.util.function.BooleanSupplier goOn,
            String what) {
        long[] nanos = new long[2_000_000];
        int count = 0;
        long started = System.nanoTime();
        long cpu = cpuNanos();
        while (count < nanos.length && (count < 300_000 || goOn.getAsBoolean())) {
            long start = System.nanoTime();
            put(machines, random.nextInt(keys));
            nanos[count++] = System.nanoTime() - start;
        }
        long took = System.nanoTime() - started;
        cpu = cpuNanos() - cpu;
        Arrays.sort(nanos, 0, count);
        System.out.printf(
                "%s: %,d in %,d ms, CPU %d ns each: %,d/s; p50 %d us, p99 %d us, p99.9 %d us, worst %,d us%n",
                what,
                count,
                took / 1_000_000,
                cpu / count,
                count * 1_000_000_000L / took,
                nanos[count / 2] / 1_000,
                nanos[(int) (count * 0.99)] / 1_000,
                nanos[(int) (count * 0.999)] / 1_000,
                nanos[count - 1] / 1_000);
    }

    private static long cpuNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
}
