package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.raft.core.EntryKind;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The log beside the plainest loop that does the same: append records of 100 bytes, fdatasync after every group of 1, 16, 64,
 * 256. One thread has a group's size outstanding at the log, for 8 Raft groups in turn: in one batch, as a Raft group that is
 * under load submits what has gathered, so that both sync the same number of records at a time ("batches"); or in a batch per
 * record, as fast as they are free again, so that the log has to find the groups by itself, and a sync takes what is there
 * ("singly"). Bases follow, so that segments are freed and written again, as in a node. All take turns of a quarter of a
 * second in one run, as neighbours on the machine come and go; the ratio is the median of those of the turns. A main, not a
 * test; arguments: the directory to work in, the turns for each size (20). Takes about a minute.
 */
final class NodeLogBenchmark {

    private static final int PAYLOAD_BYTES = 100;
    private static final int[] GROUP_SIZES = {1, 16, 64, 256};
    private static final int RAFT_GROUPS = 8;
    private static final int PLAIN_BYTES = 64 << 20;
    private static final int TURNS = 20;
    private static final long TURN_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    /** About a segment's worth. */
    private static final long RECORDS_PER_BASE = 400_000;

    private NodeLogBenchmark() {}

    private record Result(double recordsPerSecond, double cpuMicros, double recordsPerSync) {}

    public static void main(String[] arguments) throws Exception {
        Path base = Path.of(arguments.length > 0 ? arguments[0] : "target");
        int turns = arguments.length > 1 ? Integer.parseInt(arguments[1]) : TURNS;
        Path directory = Files.createTempDirectory(base, "log-benchmark");
        Path plainFile = directory.resolve("plain");
        NodeLogOptions options = NodeLogOptions.of(directory.resolve("log"), "benchmark");
        // Both files live as long as the benchmark: to create and delete large ones disturbs what comes next.
        try (FileChannel channel = FileChannel.open(
                        plainFile, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
                NodeLog log = NodeLog.open(options)) {
            ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 20);
            for (int at = 0; at < PLAIN_BYTES; at += zeros.capacity()) {
                channel.write(zeros.clear(), at);
            }
            channel.force(true);
            System.out.printf(
                    "%6s %-8s %12s %12s %13s %10s %12s %14s%n",
                    "group", "log's", "plain/s", "log/s", "median ratio", "lowest", "log CPU us", "records/sync");
            for (int group : GROUP_SIZES) {
                plain(channel, group, 2 * TURN_NANOS);
                log(log, group, 1, 2 * TURN_NANOS);
                print(group, group, channel, log, turns);
                if (group > 1) {
                    print(group, 1, channel, log, turns);
                }
            }
            System.out.printf("segments written again: %d%n", log.stats().recycledSegments());
        }
        long start = System.nanoTime();
        try (NodeLog log = NodeLog.open(options)) {
            double millis = (System.nanoTime() - start) / 1e6;
            System.out.printf(Locale.ROOT, "reopened: %d MiB in %.0f ms%n", log.sizeBytes() >> 20, millis);
        }
        delete(directory);
    }

    private static void print(int group, int batch, FileChannel channel, NodeLog log, int turns) throws Exception {
        double[] ratios = new double[turns];
        double plain = 0;
        double perSecond = 0;
        double cpuMicros = 0;
        double perSync = 0;
        for (int turn = 0; turn < turns; turn++) {
            double loop = plain(channel, group, TURN_NANOS);
            Result result = log(log, group, batch, TURN_NANOS);
            ratios[turn] = result.recordsPerSecond / loop;
            plain += loop / turns;
            perSecond += result.recordsPerSecond / turns;
            cpuMicros += result.cpuMicros / turns;
            perSync += result.recordsPerSync / turns;
        }
        Arrays.sort(ratios);
        System.out.printf(
                Locale.ROOT,
                "%6d %-8s %12.0f %12.0f %13.2f %10.2f %12.2f %14.1f%n",
                group,
                batch == group ? "batches" : "singly",
                plain,
                perSecond,
                ratios[turns / 2],
                ratios[0],
                cpuMicros,
                perSync);
    }

    /** Records per second of write and fdatasync into a file that is filled with zeros beforehand. */
    private static double plain(FileChannel channel, int group, long nanos) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(group * PAYLOAD_BYTES);
        byte[] payload = new byte[PAYLOAD_BYTES];
        long records = 0;
        long position = 0;
        long start = System.nanoTime();
        while (System.nanoTime() - start < nanos) {
            buffer.clear();
            for (int i = 0; i < group; i++) {
                buffer.put(payload);
            }
            buffer.flip();
            if (position + buffer.remaining() > PLAIN_BYTES) {
                position = 0;
            }
            position += channel.write(buffer, position);
            channel.force(false);
            records += group;
        }
        return records * 1e9 / (System.nanoTime() - start);
    }

    /** Entries submitted to the log so far. */
    private static long written;

    /** With {@code group} records outstanding, in batches of {@code batchRecords}. */
    private static Result log(NodeLog log, int group, int batchRecords, long nanos) throws InterruptedException {
        Semaphore window = new Semaphore(group / batchRecords);
        LogBatch.Completion completion = new LogBatch.Completion() {
            @Override
            public void durable() {
                window.release();
            }

            @Override
            public void failed(Throwable cause) {
                throw new IllegalStateException(cause);
            }
        };
        byte[] payload = new byte[PAYLOAD_BYTES];
        NodeLogStats before = log.stats();
        long cpu = cpuNanos();
        long start = System.nanoTime();
        while (System.nanoTime() - start < nanos) {
            // Takes what has become free at once, as an event loop does.
            window.acquire();
            int free = 1 + window.drainPermits();
            for (int i = 0; i < free; i++) {
                LogBatch batch = new LogBatch(completion);
                for (int record = 0; record < batchRecords; record++) {
                    addRecord(batch, payload);
                }
                log.submit(batch);
            }
        }
        window.acquire(group / batchRecords);
        long elapsed = System.nanoTime() - start;
        long used = cpuNanos() - cpu;
        NodeLogStats after = log.stats();
        long records = after.records() - before.records();
        double syncs = after.fsyncs() - before.fsyncs();
        return new Result(records * 1e9 / elapsed, used / 1e3 / records, records / syncs);
    }

    private static void addRecord(LogBatch batch, byte[] payload) {
        int raftGroup = (int) (written % RAFT_GROUPS);
        long index = written / RAFT_GROUPS + 1;
        batch.add(raftGroup, new LogEntry(index, 1, EntryKind.COMMAND, payload));
        if (written / RAFT_GROUPS % (RECORDS_PER_BASE / RAFT_GROUPS) == 0) {
            batch.addBase(raftGroup, index, 1);
        }
        written++;
    }

    private static long cpuNanos() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    private static void delete(Path directory) throws IOException {
        List<Path> paths = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(directory)) {
            walk.forEach(paths::add);
        }
        for (int i = paths.size() - 1; i >= 0; i--) {
            Files.delete(paths.get(i));
        }
    }
}
