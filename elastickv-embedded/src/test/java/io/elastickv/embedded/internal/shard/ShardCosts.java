package io.elastickv.embedded.internal.shard;

import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Prints what operations and entries cost: a main, not a test. Arguments: engine, keys, replicas of each shard, slots per
 * bucket, initial entries.
 */
final class ShardCosts {

    private static final int SHARDS = 8;

    private ShardCosts() {}

    public static void main(String[] args) throws IOException {
        StorageEngine engine = StorageEngine.valueOf(args.length > 0 ? args[0] : "OFF_HEAP");
        int keys = args.length > 1 ? Integer.parseInt(args[1]) : 1_000_000;
        int replicas = args.length > 2 ? Integer.parseInt(args[2]) : 1;
        StorageOptions defaults = StorageOptions.DEFAULTS;
        StorageOptions options = new StorageOptions(
                args.length > 3 ? Integer.parseInt(args[3]) : defaults.slotsPerBucket(),
                args.length > 4 ? Integer.parseInt(args[4]) : defaults.initialEntries(),
                defaults.growthFactor(),
                defaults.maxInlineValueBytes());
        long started = System.nanoTime();
        engine.checkStart();
        System.out.printf("start check %d ms%n", (System.nanoTime() - started) / 1_000_000);
        long heapBefore = heapBytes();
        System.out.printf("before: heap %,d KB, %s%n", heapBefore >> 10, memory());
        List<ShardStateMachine> machines = new ArrayList<>();
        for (int i = 0; i < SHARDS * replicas; i++) {
            int shard = i % SHARDS;
            machines.add(ShardStateMachine.create(
                    shard, 1, SlotRanges.of(shard * 2048, shard * 2048 + 2047), engine, options));
        }
        System.out.printf(
                "%d empty shards: heap %,d KB, %s%n", machines.size(), (heapBytes() - heapBefore) >> 10, memory());
        for (int few : new int[] {1_000}) {
            write(machines, replicas, few, 1, "first puts");
            System.out.printf(
                    "%,d keys: heap +%,d KB, %s, off heap reserved %,d KB%n",
                    few, (heapBytes() - heapBefore) >> 10, memory(), offHeap(machines) >> 10);
        }
        write(machines, replicas, keys, 2, "inserts");
        long heap = heapBytes() - heapBefore;
        System.out.printf(
                "%,d keys x %d replicas: heap +%,d KB = %.1f B per entry, %s, off heap reserved %.1f B per entry%n",
                keys,
                replicas,
                heap >> 10,
                (double) heap / keys / replicas,
                memory(),
                (double) offHeap(machines) / keys / replicas);
        for (int round = 0; round < 3; round++) {
            write(machines, replicas, keys, 3 + round, "overwrites");
            read(machines, keys, keys);
        }
        read(machines, keys, -keys);
        System.out.printf("after: heap +%,d KB, %s%n", (heapBytes() - heapBefore) >> 10, memory());
        machines.forEach(ShardStateMachine::close);
    }

    private static byte[] key(long n) {
        byte[] key = new byte[16];
        ByteBuffer.wrap(key).putLong(n * 0x9E3779B97F4A7C15L).putLong(n);
        return key;
    }

    private static void write(List<ShardStateMachine> machines, int replicas, int keys, int round, String what) {
        SplittableRandom random = new SplittableRandom(round);
        byte[] value = new byte[100];
        byte[][] entries = new byte[1_000][];
        int[] shards = new int[entries.length];
        long nanos = 0;
        long allocated = 0;
        long worst = 0;
        for (int n = 0; n < keys; ) {
            int count = Math.min(entries.length, keys - n);
            for (int i = 0; i < count; i++, n++) {
                byte[] key = key(what.equals("overwrites") ? random.nextInt(keys) : n);
                shards[i] = io.elastickv.api.KeySlot.of(key) / 2048;
                entries[i] = CommandCodec.encode(new Envelope(
                        0, 0, 0, 1_000, new Command.Put(key, value, Precondition.ALWAYS, ExpiryChange.NEVER, false)));
            }
            long allocatedBefore = allocatedBytes();
            long start = cpuNanos();
            for (int i = 0; i < count; i++) {
                for (int replica = 0; replica < replicas; replica++) {
                    ShardStateMachine machine = machines.get(shards[i] + replica * SHARDS);
                    machine.apply(machine.appliedIndex() + 1, entries[i]);
                }
            }
            long took = cpuNanos() - start;
            nanos += took;
            worst = Math.max(worst, took);
            allocated += allocatedBytes() - allocatedBefore;
        }
        long operations = (long) keys * replicas;
        System.out.printf(
                "%s: %d CPU ns and %d B of garbage per put; worst 1,000 in %d us%n",
                what, nanos / operations, allocated / operations, worst / 1_000);
    }

    private static void read(List<ShardStateMachine> machines, int reads, int range) {
        SplittableRandom random = new SplittableRandom(1);
        long found = 0;
        long nanos = 0;
        long allocated = 0;
        Query[] queries = new Query[1_000];
        int[] shards = new int[queries.length];
        for (int n = 0; n < reads; n += queries.length) {
            for (int i = 0; i < queries.length; i++) {
                byte[] key = key(range > 0 ? random.nextInt(range) : -1 - random.nextInt(-range));
                shards[i] = io.elastickv.api.KeySlot.of(key) / 2048;
                queries[i] = new Query.Get(key);
            }
            long allocatedBefore = allocatedBytes();
            long start = cpuNanos();
            for (int i = 0; i < queries.length; i++) {
                found += ((QueryResult.Value) machines.get(shards[i]).query(queries[i], 1_000)).value() == null ? 0 : 1;
            }
            nanos += cpuNanos() - start;
            allocated += allocatedBytes() - allocatedBefore;
        }
        System.out.printf(
                "gets, %d %% found: %d CPU ns and %d B of garbage per get%n",
                100 * found / reads, nanos / reads, allocated / reads);
    }

    private static long offHeap(List<ShardStateMachine> machines) {
        return machines.stream().mapToLong(ShardStateMachine::offHeapBytes).sum();
    }

    private static long allocatedBytes() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean())
                .getThreadAllocatedBytes(Thread.currentThread().getId());
    }

    /** Others may use the machine too. */
    private static long cpuNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static long heapBytes() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private static String memory() throws IOException {
        StringBuilder text = new StringBuilder();
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS") || line.startsWith("VmSize") || line.startsWith("RssAnon")) {
                text.append(line.replaceAll("\\s+", " ")).append("  ");
            }
        }
        return text.toString();
    }
}
