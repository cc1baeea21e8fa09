package io.elastickv.benchmarks;

import io.elastickv.embedded.Durability;
import io.elastickv.embedded.StorageEngine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Measures three nodes in this process, with real files and connections. */
@Command(
        name = "elastickv-benchmarks",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        subcommands = ElasticCommand.class,
        description = "Measures three nodes in this process: puts and gets by the number of outstanding operations, or "
                + "what one of --fill, --restart, --rejoin and --checkpoint names.")
public final class BenchmarkMain implements Callable<Integer> {

    private static final int MAX_OUTSTANDING = 65_536;
    private static final int MAX_KEYS = 50_000_000;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--ops",
            split = ",",
            paramLabel = "put|get",
            defaultValue = "put,get",
            description = "Which operations. Default: ${DEFAULT-VALUE}")
    private List<ThroughputRun.Kind> ops = List.of();

    @Option(
            names = "--outstanding",
            split = ",",
            paramLabel = "N",
            defaultValue = "1,16,64,256",
            description = "How many operations are under way at a time. Default: ${DEFAULT-VALUE}")
    private List<Integer> outstanding = List.of();

    @Option(
            names = "--via",
            split = ",",
            paramLabel = "leader|random",
            defaultValue = "leader,random",
            description = "Which node is asked: the one that leads the key's shard, or any. Default: ${DEFAULT-VALUE}")
    private List<ThroughputRun.Via> via = List.of();

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "5",
            description = "How long each measurement lasts. Default: ${DEFAULT-VALUE}")
    private int seconds = 5;

    @Option(
            names = "--warmup",
            paramLabel = "S",
            defaultValue = "3",
            description = "How long each runs before it is measured. Default: ${DEFAULT-VALUE}")
    private int warmupSeconds = 3;

    @Option(
            names = "--keys",
            paramLabel = "N",
            defaultValue = "100000",
            description = "How many different keys. Default: ${DEFAULT-VALUE}")
    private int keys = 100_000;

    @Option(
            names = "--value-bytes",
            paramLabel = "N",
            defaultValue = "100",
            description = "The size of values. Default: ${DEFAULT-VALUE}")
    private int valueBytes = 100;

    @Option(
            names = "--fill",
            paramLabel = "N",
            description = "Instead: writes N keys, reads all of them back, checks them and prints what they cost.")
    private int fill;

    @Option(
            names = "--restart",
            paramLabel = "N",
            description =
                    "Instead: writes N keys, closes all nodes and starts them again, --rounds times; prints how long "
                            + "it takes until every shard serves.")
    private int restart;

    @Option(
            names = "--rejoin",
            paramLabel = "N",
            description = "Instead: writes N keys; then, under --load puts, a node loses its directory and is started "
                    + "again: prints how fast it catches up, and what the puts notice.")
    private int rejoin;

    @Option(
            names = "--checkpoint",
            paramLabel = "N",
            description =
                    "Instead: writes N keys, then puts as fast as --load puts at a time go: prints what they notice "
                            + "of checkpoints. Takes at least --seconds with and --seconds without checkpoints.")
    private int checkpoint;

    @Option(
            names = "--load",
            paramLabel = "N",
            defaultValue = "64",
            description = "How many puts are under way in --rejoin and --checkpoint. Default: ${DEFAULT-VALUE}")
    private int load = 64;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "5",
            description = "How often --restart restarts. Default: ${DEFAULT-VALUE}")
    private int rounds = 5;

    @Option(
            names = "--durability",
            paramLabel = "fsync|memory",
            defaultValue = "fsync",
            description = "What a write waits for. Default: ${DEFAULT-VALUE}")
    private Durability durability = Durability.FSYNC;

    @Option(
            names = "--storage",
            paramLabel = "off-heap|heap",
            defaultValue = "off-heap",
            description = "Where values are kept. Default: ${DEFAULT-VALUE}")
    private StorageEngine storage = StorageEngine.OFF_HEAP;

    @Option(names = "--shards", paramLabel = "N", defaultValue = "8", description = "Default: ${DEFAULT-VALUE}")
    private int shards = 8;

    @Option(names = "--loops", paramLabel = "N", description = "Event loops per node. Default: the node's own")
    private @Nullable Integer loops;

    @Option(
            names = "--checkpoint-bytes",
            paramLabel = "N",
            description = "How many bytes of log of a shard make a checkpoint due, at least. Default: the node's own")
    private @Nullable Long checkpointBytes;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description =
                    "Where files are written, in a new directory that is removed at the end; the figures depend on "
                            + "its disk. Default: where the JVM puts temporary files")
    private @Nullable Path data;

    /** Runs the benchmark; exit code 0 if no operation failed, 1 if some did, 2 for a wrong command line. */
    public static void main(String[] args) {
        System.exit(commandLine(new BenchmarkMain()).execute(args));
    }

    static CommandLine commandLine(BenchmarkMain command) {
        return new CommandLine(command)
                .registerConverter(Durability.class, choice(Durability.class))
                .registerConverter(StorageEngine.class, choice(StorageEngine.class))
                .registerConverter(ElasticCommand.Run.class, choice(ElasticCommand.Run.class))
                .registerConverter(ThroughputRun.Kind.class, choice(ThroughputRun.Kind.class))
                .registerConverter(ThroughputRun.Via.class, choice(ThroughputRun.Via.class));
    }

    private static <E extends Enum<E>> ITypeConverter<E> choice(Class<E> type) {
        return text -> {
            try {
                return Enum.valueOf(type, text.replace('-', '_').toUpperCase(Locale.ROOT));
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException("'" + text + "' is none of the choices");
            }
        };
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        check("--seconds", seconds, 1, 3600);
        check("--warmup", warmupSeconds, 0, 3600);
        check("--keys", keys, 1, MAX_KEYS);
        check("--value-bytes", valueBytes, 0, 1 << 20);
        outstanding.forEach(count -> check("--outstanding", count, 1, MAX_OUTSTANDING));
        check("--fill", fill, 0, MAX_KEYS);
        check("--restart", restart, 0, MAX_KEYS);
        check("--rejoin", rejoin, 0, MAX_KEYS);
        check("--checkpoint", checkpoint, 0, MAX_KEYS);
        check("--load", load, 1, MAX_OUTSTANDING);
        if (checkpointBytes != null && checkpointBytes < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--checkpoint-bytes " + checkpointBytes + ": must be positive");
        }
        check("--rounds", rounds, 1, 1000);
        if (IntStream.of(fill, restart, rejoin, checkpoint)
                        .filter(count -> count > 0)
                        .count()
                > 1) {
            throw new ParameterException(
                    spec.commandLine(), "--fill, --restart, --rejoin, --checkpoint: choose one of them");
        }
        Path parent = data != null ? data : Path.of(System.getProperty("java.io.tmpdir"));
        Path directory = Files.createTempDirectory(Files.createDirectories(parent), "elastickv-benchmark-");
        // Also when it is interrupted: a run leaves gigabytes.
        Thread cleaner = new Thread(() -> remove(directory), "elastickv-benchmark-cleaner");
        Runtime.getRuntime().addShutdownHook(cleaner);
        System.out.printf(
                Locale.ROOT,
                "JDK %s, %d processors, machine load %.2f at the start, files in %s%n",
                Runtime.version(),
                Runtime.getRuntime().availableProcessors(),
                ProcessUsage.machineLoad(),
                parent);
        BenchmarkCluster.Settings settings =
                new BenchmarkCluster.Settings(shards, durability, storage, loops, checkpointBytes);
        System.out.printf(
                Locale.ROOT, "3 nodes, %d shards, %s, %s, %d B values%n", shards, durability, storage, valueBytes);
        return run(settings, directory) == 0 ? 0 : 1;
    }

    /** Returns how many operations failed. */
    private long run(BenchmarkCluster.Settings settings, Path directory) throws IOException, InterruptedException {
        Duration window = Duration.ofSeconds(seconds);
        if (fill > 0) {
            return new FillRun(fill, valueBytes).run(settings, directory);
        }
        if (restart > 0) {
            return new RestartRun(restart, valueBytes, rounds).run(settings, directory);
        }
        if (rejoin > 0) {
            return new RejoinRun(rejoin, valueBytes, load, window).run(settings, directory);
        }
        if (checkpoint > 0) {
            return new CheckpointRun(checkpoint, valueBytes, load, window).run(settings, directory);
        }
        return new ThroughputRun(ops, outstanding, via, Duration.ofSeconds(warmupSeconds), window, keys, valueBytes)
                .run(settings, directory);
    }

    private void check(String option, int value, int least, int most) {
        if (value < least || value > most) {
            throw new ParameterException(
                    spec.commandLine(), option + " " + value + ": must be within " + least + "-" + most);
        }
    }

    private static void remove(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            System.err.println("directory " + directory + " is not removed: " + e);
        }
    }
}
