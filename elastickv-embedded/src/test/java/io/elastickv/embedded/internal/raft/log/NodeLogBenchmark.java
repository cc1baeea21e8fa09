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
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The log beside the plainest loop that does the same: append records of 100 bytes, fdatasync after every group of 1, 16, 64,
 * 256. One thread submits a batch per record and has a group's size outstanding. A main, not a test; an argument names
 * the directory to work in. Takes about half a minute.
 */
final class NodeLogBenchmark {

    private static final int PAYLOAD_BYTES = 100;
    private static final int[] GROUP_SIZES = {1, 16, 64, 256};
    private static final int PLAIN_BYTES = 64 << 20;
    private static final int ROUNDS = 2;
    private static final long RUN_NANOS = TimeUnit.SECONDS.toNanos(2);

    private NodeLogBenchmark() {}

    private record Result(double recordsPerSecond, double cpuMicros, double recordsPerSync) {}

    public static void main(String[] arguments) throws Exception {
        Path base = Path.of(arguments.length > 0 ? arguments[0] : "target");
        Path directory = Files.createTempDirectory(base, "log-benchmark");
        Path plainFile = directory.resolve("plain");
        NodeLogOptions options = NodeLogOptions.of(directory.resolve("log"), "benchmark");
        long records;
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
                    "%6s %12s %12s %7s %12s %14s%n",
                    "group", "plain/s", "log/s", "ratio", "log CPU us", "records/sync");
            for (int group : GROUP_SIZES) {
                plain(channel, group, RUN_NANOS / 4);
                log(log, group, RUN_NANOS / 4);
                double plain = 0;
                double perSecond = 0;
                double cpuMicros = 0;
                double perSync = 0;
                for (int round = 0; round < ROUNDS; round++) { // interleaved: neighbours on the machine come and go
                    plain += plain(channel, group, RUN_NANOS) / ROUNDS;
                    Result result = log(log, group, RUN_NANOS);
                    perSecond += result.recordsPerSecond / ROUNDS;
                    cpuMicros += result.cpuMicros / ROUNDS;
                    perSync += result.recordsPerSync / ROUNDS;
                }
                System.out.printf(
                        Locale.ROOT,
                        "%6d %12.0f %12.0f %7.2f %12.2f %14.1f%n",
                        group,
                        plain,
                        perSecond,
                        perSecond / plain,
                        cpuMicros,
                        perSync);
            }
            records = log.stats().records();
        }
        long start = System.nanoTime();
        try (NodeLog log = NodeLog.open(options)) {
            double millis = (System.nanoTime() - start) / 1e6;
            System.out.printf(
                    Locale.ROOT,
                    "reopened: %d records of %d groups in %.0f ms%n",
                    records,
                    log.groups().size(),
                    millis);
        }
        delete(directory);
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

    private static Result log(NodeLog log, int group, long nanos) throws InterruptedException {
        Semaphore window = new Semaphore(group);
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
        long index = before.records();
        while (System.nanoTime() - start < nanos) {
            // Takes what has become free at once, as an event loop does.
            window.acquire();
            int free = 1 + window.drainPermits();
            for (int i = 0; i < free; i++) {
                LogEntry entry = new LogEntry(index / 8 + 1, 1, EntryKind.COMMAND, payload);
                log.submit(new LogBatch(completion).add((int) (index % 8), entry));
                index++;
            }
        }
        window.acquire(group);
        long elapsed = System.nanoTime() - start;
        long used = cpuNanos() - cpu;
        NodeLogStats after = log.stats();
        long records = after.records() - before.records();
        double syncs = after.fsyncs() - before.fsyncs();
        return new Result(records * 1e9 / elapsed, used / 1e3 / records, records / syncs);
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
