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
    private static final long RUN_NANOS = TimeUnit.SECONDS.toNanos(2);

    private NodeLogBenchmark() {}

    private record Result(double recordsPerSecond, double cpuMicros, double recordsPerSync) {}

    public static void main(String[] arguments) throws Exception {
        Path base = Path.of(arguments.length > 0 ? arguments[0] : "target");
        Path directory = Files.createTempDirectory(base, "log-benchmark");
        try {
            System.out.printf(
                    "%6s %14s %14s %7s %12s %16s%n",
                    "group", "plain/s", "log/s", "ratio", "log CPU us", "records/sync");
            for (int group : GROUP_SIZES) {
                plain(directory, group, RUN_NANOS / 4);
                log(directory, group, RUN_NANOS / 4);
                double[] plain = new double[2];
                Result[] log = new Result[2];
                for (int round = 0; round < 2; round++) { // interleaved, as neighbours on the machine come and go
                    plain[round] = plain(directory, group, RUN_NANOS);
                    log[round] = log(directory, group, RUN_NANOS);
                }
                double plainMean = (plain[0] + plain[1]) / 2;
                double logMean = (log[0].recordsPerSecond + log[1].recordsPerSecond) / 2;
                System.out.printf(
                        Locale.ROOT,
                        "%6d %14.0f %14.0f %7.2f %12.2f %16.1f%n",
                        group,
                        plainMean,
                        logMean,
                        logMean / plainMean,
                        (log[0].cpuMicros + log[1].cpuMicros) / 2,
                        (log[0].recordsPerSync + log[1].recordsPerSync) / 2);
            }
        } finally {
            delete(directory);
        }
    }

    /** Records per second of write and fdatasync into a file that is filled with zeros beforehand. */
    private static double plain(Path directory, int group, long nanos) throws IOException {
        Path file = directory.resolve("plain");
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 20);
            int limit = 64 << 20;
            for (int at = 0; at < limit; at += zeros.capacity()) {
                channel.write(zeros.clear(), at);
            }
            channel.force(true);
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
                if (position + buffer.remaining() > limit) {
                    position = 0;
                }
                position += channel.write(buffer, position);
                channel.force(false);
                records += group;
            }
            return records * 1e9 / (System.nanoTime() - start);
        } finally {
            Files.delete(file);
        }
    }

    private static Result log(Path directory, int group, long nanos) throws Exception {
        Path logDirectory = directory.resolve("log");
        try (NodeLog log = NodeLog.open(NodeLogOptions.of(logDirectory, "benchmark"))) {
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
            long index = 0;
            while (System.nanoTime() - start < nanos) {
                // Take what has become free at once, as an event loop does.
                window.acquire();
                int free = 1 + window.drainPermits();
                for (int i = 0; i < free; i++) {
                    log.submit(new LogBatch(completion)
                            .add((int) (index % 8), new LogEntry(index / 8 + 1, 1, EntryKind.COMMAND, payload)));
                    index++;
                }
            }
            window.acquire(group);
            long elapsed = System.nanoTime() - start;
            long used = cpuNanos() - cpu;
            NodeLogStats after = log.stats();
            long records = after.records() - before.records();
            return new Result(
                    records * 1e9 / elapsed,
                    used / 1e3 / records,
                    records / (double) (after.fsyncs() - before.fsyncs()));
        } finally {
            delete(logDirectory);
        }
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
