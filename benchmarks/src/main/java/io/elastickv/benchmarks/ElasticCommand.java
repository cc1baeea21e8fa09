package io.elastickv.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures how a cluster of processes grows, shrinks and dissolves its hot spots. */
@Command(
        name = "elastic",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = "Nodes in processes of their own: what a cluster does about load, and what callers notice of it.")
final class ElasticCommand implements Callable<Integer> {

    /** What is measured. */
    enum Run {
        HOT_SHARD,
        HOT_KEY,
        SCALE,
        SPLIT
    }

    @Parameters(
            paramLabel = "hot-shard|hot-key|scale|split",
            description = "All load on one shard of five nodes; nine of ten reads on one key; three nodes become five, "
                    + "then two leave and one is killed; a large shard is split.")
    private Run run = Run.HOT_SHARD;

    @Option(names = "--load", paramLabel = "N", defaultValue = "64", description = "How many operations are under way.")
    private int load = 64;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "10",
            description = "How long each phase is measured.")
    private int seconds = 10;

    @Option(names = "--most", paramLabel = "S", defaultValue = "60", description = "How long is waited for an effect.")
    private int most = 60;

    @Option(
            names = "--entries",
            paramLabel = "N",
            defaultValue = "1000000",
            description = "Entries of the split shard.")
    private int entries = 1_000_000;

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "5", description = "How many splits.")
    private int rounds = 5;

    @Option(names = "--data", paramLabel = "DIR", description = "Where files are written, in a new directory.")
    private @Nullable Path data;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path parent = data != null ? data : Path.of(System.getProperty("java.io.tmpdir"));
        Path directory = Files.createTempDirectory(Files.createDirectories(parent), "elastickv-elastic-");
        System.out.printf(
                "JDK %s, %d processors, machine load %.2f at the start%n",
                Runtime.version(), Runtime.getRuntime().availableProcessors(), ProcessUsage.machineLoad());
        Duration window = Duration.ofSeconds(seconds);
        try {
            long failed = switch (run) {
                case HOT_SHARD -> new HotShardRun(load, window, most).run(directory);
                case HOT_KEY -> new HotKeyRun(load, window, most).run(directory);
                case SCALE -> new ScaleRun(load, window).run(directory);
                case SPLIT -> new SplitRun(entries, rounds, window).run(directory);
            };
            return failed == 0 ? 0 : 1;
        } finally {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }
}
