package io.elastickv.samples;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.Automation;
import io.elastickv.api.Bytes;
import io.elastickv.api.ClusterView;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.ShardInfo;
import io.elastickv.embedded.Elastickv;
import io.elastickv.embedded.StorageEngine;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Makes hot spots and shows how the cluster dissolves them: a Zipfian storm on the slots of one shard, then one with much
 * of its load on a single slot, each first while the cluster may do nothing about it. Prints a table and writes a report to look at.
 */
@Command(
        name = "hotspot",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Makes hot spots on five nodes in this process, or on a running cluster, and shows what is done about "
                        + "them: a table, and a report as one page.")
public final class HotSpotDemo implements Callable<Integer> {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final int NODES = 5;
    private static final int KEYS = 20_000;
    private static final int KEYS_OF_ONE_SLOT = 2_000;
    private static final double EXPONENT = 0.99;
    /** The slot as such cannot be divided: alone on its node it makes that node as busy as the mean of five. */
    private static final double PART_OF_ONE_SLOT = 0.2;

    private static final double EVEN = 1.3;

    @Option(
            names = "--seeds",
            paramLabel = "HOST:PORT",
            split = ",",
            description = "Members of a running cluster; without, five nodes are started in this process.")
    private List<String> seeds = List.of();

    @Option(
            names = "--port",
            paramLabel = "P",
            defaultValue = "7811",
            description = "The first of five ports for the nodes in this process. Default: ${DEFAULT-VALUE}")
    private int port = 7811;

    @Option(
            names = "--storage",
            paramLabel = "off-heap|heap",
            defaultValue = "off-heap",
            description = "Where those nodes keep values in memory. Default: ${DEFAULT-VALUE}")
    private StorageEngine storage = StorageEngine.OFF_HEAP;

    @Option(
            names = "--outstanding",
            paramLabel = "N",
            defaultValue = "64",
            description = "How many operations are always under way. Default: ${DEFAULT-VALUE}")
    private int outstanding = 64;

    @Option(
            names = "--reads",
            paramLabel = "PERCENT",
            defaultValue = "50",
            description = "How many of a hundred operations read. Default: ${DEFAULT-VALUE}")
    private int reads = 50;

    @Option(
            names = "--for",
            paramLabel = "DURATION",
            defaultValue = "30s",
            description = "How long each storm may be acted on. Default: ${DEFAULT-VALUE}")
    private Duration length = Duration.ofSeconds(30);

    @Option(
            names = "--measure",
            paramLabel = "DURATION",
            defaultValue = "8s",
            description = "How long it is measured before and after. Default: ${DEFAULT-VALUE}")
    private Duration measure = Duration.ofSeconds(8);

    @Option(
            names = "--report",
            paramLabel = "FILE",
            defaultValue = "hotspot-report.html",
            description = "Where the report is written. Default: ${DEFAULT-VALUE}")
    private Path file = Path.of("hotspot-report.html");

    private final PrintStream out = System.out;
    private final TextTable table =
            new TextTable("STORM", "WHEN", "OPS/S", "P50 MS", "P99 MS", "MAX MS", "HOTTEST NODE", "FAILED");

    /** Runs the demo. */
    public static void main(String[] args) {
        if (System.getProperty("elastickv.log") == null) {
            System.setProperty("elastickv.log", "WARN");
        }
        System.exit(prepare(new CommandLine(new HotSpotDemo())).execute(args));
    }

    static CommandLine prepare(CommandLine line) {
        return CommandLines.prepare(line)
                .registerConverter(Duration.class, ClientArguments::duration)
                .setExecutionExceptionHandler((e, failed, parsed) -> {
                    failed.getErr().println(failed.getCommandName() + ": " + CommandLines.firstLine(e));
                    return ExitCode.FAILED;
                });
    }

    @Override
    public Integer call() throws Exception {
        if (!seeds.isEmpty()) {
            try (ElastickvNode client = Elastickv.builder()
                    .name("hotspot-" + Long.toHexString(System.nanoTime()))
                    .address("127.0.0.1", 0)
                    .seeds(seeds)
                    .storageless()
                    .start()) {
                client.awaitReady(TIMEOUT);
                return run(client.cluster(), List.of(client.asyncStore()));
            }
        }
        try (LocalNodes nodes = new LocalNodes(port, 8, storage)) {
            out.println("starting " + NODES + " nodes");
            nodes.form(NODES);
            return run(nodes.any().cluster(), nodes.stores());
        }
    }

    private int run(ClusterView cluster, List<AsyncKeyValueStore> stores) throws InterruptedException, IOException {
        Recorder recorder = new Recorder(
                () -> cluster,
                "Hot spots on "
                        + cluster.nodes().stream().filter(node -> node.member()).count() + " nodes",
                "storm",
                "when",
                "ops/s",
                "p50 ms",
                "p99 ms",
                "max ms",
                "hottest node",
                "failed");
        List<ShardInfo> shards = cluster.shards();
        ShardInfo first = shards.get(0);
        Automation before = cluster.automation();
        long failed;
        try {
            failed = storm(
                    cluster,
                    recorder,
                    "Zipf " + EXPONENT + " in shard " + first.id(),
                    new Storm(stores, Storm.keysIn(first::owns, KEYS), Storm.zipf(KEYS, EXPONENT), reads / 100.0));
            int slot = slotInTheMiddle(shards.get(shards.size() / 2));
            failed += storm(
                    cluster,
                    recorder,
                    Math.round(100 * PART_OF_ONE_SLOT) + " % in slot " + slot,
                    new Storm(
                            stores,
                            oneSlotAndAll(slot),
                            Storm.partly(PART_OF_ONE_SLOT, KEYS_OF_ONE_SLOT, KEYS_OF_ONE_SLOT + KEYS),
                            reads / 100.0));
        } finally {
            cluster.setAutomation(before, TIMEOUT);
        }
        out.println();
        out.print(table);
        out.println();
        out.print(Figures.operations(recorder.operations(), Instant.now()));
        Files.writeString(file, recorder.report().html());
        out.println();
        out.println("report: " + file.toAbsolutePath());
        return failed == 0 ? ExitCode.OK : ExitCode.FAILED;
    }

    private static Bytes[] oneSlotAndAll(int slot) {
        Bytes[] keys = Arrays.copyOf(Storm.keysOfOneSlot(slot, KEYS_OF_ONE_SLOT), KEYS_OF_ONE_SLOT + KEYS);
        System.arraycopy(Storm.keysIn(any -> true, KEYS), 0, keys, KEYS_OF_ONE_SLOT, KEYS);
        return keys;
    }

    private static int slotInTheMiddle(ShardInfo shard) {
        return (shard.slots().get(0).first() + shard.slots().get(0).last()) / 2;
    }

    private long storm(ClusterView cluster, Recorder recorder, String name, Storm storm) throws InterruptedException {
        cluster.setAutomation(Automation.OFF, TIMEOUT);
        storm.fill();
        out.println("storm: " + name);
        recorder.mark("storm: " + name + ", nothing may be done about it");
        storm.outstanding(outstanding);
        watch(recorder, storm, Duration.ofSeconds(4), false); // warm
        measured(recorder, name, "before", storm);
        cluster.setAutomation(Automation.ALL, TIMEOUT);
        Instant allowed = Instant.now();
        recorder.mark("automation on");
        Storm.Counts counts = storm.counts();
        boolean even = watch(recorder, storm, length, true);
        row(name, "meanwhile", counts.until(storm.counts()), recorder);
        out.println(
                even
                        ? "even after " + Figures.duration(Duration.between(allowed, Instant.now()))
                        : "not even after " + Figures.duration(length));
        watch(recorder, storm, Duration.ofSeconds(5), false);
        measured(recorder, name, "after", storm);
        storm.outstanding(0);
        recorder.mark("end of the storm");
        if (!storm.awaitEnd(30_000)) {
            out.println("some operations have not ended");
            return storm.failed() + 1;
        }
        return storm.failed();
    }

    /** Watches for so long, or until the nodes have been even for three seconds. */
    private boolean watch(Recorder recorder, Storm storm, Duration most, boolean untilEven)
            throws InterruptedException {
        int even = 0;
        for (long second = 0; second < most.toSeconds(); second++) {
            recorder.second(storm, storm.counts());
            even = recorder.hottest() <= EVEN ? even + 1 : 0;
            if (untilEven && even >= 3) {
                return true;
            }
        }
        return false;
    }

    private void measured(Recorder recorder, String name, String when, Storm storm) throws InterruptedException {
        Storm.Counts counts = storm.counts();
        watch(recorder, storm, measure, false);
        row(name, when, counts.until(storm.counts()), recorder);
    }

    private void row(String name, String when, Storm.Span span, Recorder recorder) {
        String[] cells = {
            name,
            when,
            Figures.count(span.opsPerSecond()),
            millis(span.p50Millis()),
            millis(span.p99Millis()),
            millis(span.maxMillis()),
            String.format(Locale.ROOT, "%.2f x mean", recorder.hottest()),
            Long.toString(span.failed())
        };
        table.row(cells);
        recorder.report().line(cells);
    }

    private static String millis(double millis) {
        return String.format(Locale.ROOT, "%.1f", millis);
    }
}
