package io.elastickv.samples;

import io.elastickv.api.Automation;
import io.elastickv.api.ClusterView;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.OperationInfo;
import io.elastickv.embedded.StorageEngine;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * A load that doubles and halves, and a cluster that follows it: nodes are started in this process and join when each has too
 * much to do, and are drained and stopped when all have too little. No request fails.
 */
@Command(
        name = "scaling",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Lets a load double and halve, adds nodes to a cluster in this process and drains them again, and "
                        + "writes a report as one page.")
public final class ScalingDemo implements Callable<Integer> {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final int LEAST_NODES = 3;
    private static final int MOST_NODES = 6;
    private static final int KEYS = 20_000;
    private static final int TICK_MILLIS = 5;
    private static final int WARM_SECONDS = 12;

    @Option(
            names = "--port",
            paramLabel = "P",
            defaultValue = "7821",
            description = "The first of ten ports for the nodes. Default: ${DEFAULT-VALUE}")
    private int port = 7821;

    @Option(
            names = "--storage",
            paramLabel = "off-heap|heap",
            defaultValue = "off-heap",
            description = "Where the nodes keep values in memory. Default: ${DEFAULT-VALUE}")
    private StorageEngine storage = StorageEngine.OFF_HEAP;

    @Option(
            names = "--rate",
            paramLabel = "N",
            defaultValue = "600",
            description =
                    "Operations per second at first; then twice as many, then as many again. Default: ${DEFAULT-VALUE}")
    private int rate = 600;

    @Option(
            names = "--for",
            paramLabel = "DURATION",
            defaultValue = "40s",
            description = "How long each of the three loads lasts. Default: ${DEFAULT-VALUE}")
    private Duration length = Duration.ofSeconds(40);

    @Option(
            names = "--report",
            paramLabel = "FILE",
            defaultValue = "scaling-report.html",
            description = "Where the report is written. Default: ${DEFAULT-VALUE}")
    private Path file = Path.of("scaling-report.html");

    private final PrintStream out = System.out;
    private final AtomicInteger wantedRate = new AtomicInteger();

    /** Runs the demo. */
    public static void main(String[] args) {
        if (System.getProperty("elastickv.log") == null) {
            System.setProperty("elastickv.log", "WARN");
        }
        System.exit(HotSpotDemo.prepare(new CommandLine(new ScalingDemo())).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        try (LocalNodes nodes = new LocalNodes(port, 12, storage)) {
            out.println("starting " + LEAST_NODES + " nodes");
            nodes.form(LEAST_NODES);
            try (ElastickvNode client = nodes.client()) {
                return run(nodes, client);
            }
        }
    }

    private int run(LocalNodes nodes, ElastickvNode client) throws Exception {
        ClusterView cluster = client.cluster();
        cluster.setAutomation(Automation.ALL, TIMEOUT);
        Storm storm =
                new Storm(List.of(client.asyncStore()), Storm.keysIn(any -> true, KEYS), Storm.uniform(KEYS), 0.5);
        storm.fill();
        Recorder recorder = new Recorder(
                () -> cluster,
                "A load that doubles and halves",
                "load",
                "ops/s",
                "p50 ms",
                "p99 ms",
                "max ms",
                "nodes",
                "failed");
        TextTable table = new TextTable("LOAD", "OPS/S", "P50 MS", "P99 MS", "MAX MS", "NODES", "FAILED");
        Thread pacer = new Thread(() -> pace(storm), "scaling-demo-load");
        pacer.setDaemon(true);
        // A node is to do half of what the first load would make each of two nodes do.
        Scaling scaling = new Scaling(nodes, cluster, rate * 0.4, text -> {
            out.println(text);
            recorder.mark(text);
        });
        pacer.start();
        try {
            wantedRate.set(rate);
            for (int second = 0; second < WARM_SECONDS; second++) { // writing the keys was a load as well
                recorder.second(storm, storm.counts());
            }
            scaling.start();
            for (int factor : new int[] {1, 2, 1}) {
                wantedRate.set(rate * factor);
                String name = rate * factor + "/s wanted";
                recorder.mark(name);
                Storm.Counts counts = storm.counts();
                for (long second = 0; second < length.toSeconds(); second++) {
                    recorder.second(storm, storm.counts());
                }
                Storm.Span span = counts.until(storm.counts());
                String[] cells = {
                    name,
                    Figures.count(span.opsPerSecond()),
                    String.format(Locale.ROOT, "%.1f", span.p50Millis()),
                    String.format(Locale.ROOT, "%.1f", span.p99Millis()),
                    String.format(Locale.ROOT, "%.1f", span.maxMillis()),
                    String.join(" ", nodes.names()),
                    Long.toString(span.failed())
                };
                table.row(cells);
                recorder.report().line(cells);
            }
        } finally {
            wantedRate.set(0);
            pacer.interrupt();
            scaling.close();
        }
        boolean ended = storm.awaitEnd(30_000);
        out.println();
        out.print(table);
        out.println();
        out.println(kinds(recorder.operations()));
        Files.writeString(file, recorder.report().html());
        out.println();
        out.println("report: " + file.toAbsolutePath());
        return ended && storm.failed() == 0 ? ExitCode.OK : ExitCode.FAILED;
    }

    /** How many operations of each kind there were. */
    static String kinds(List<OperationInfo> operations) {
        Map<String, Integer> counts = new TreeMap<>();
        for (OperationInfo operation : operations) {
            counts.merge(Figures.word(operation.kind()) + " " + Figures.word(operation.outcome()), 1, Integer::sum);
        }
        return operations.size() + " operations: " + counts;
    }

    /** Starts as many operations as are due, every few milliseconds. */
    private void pace(Storm storm) {
        SplittableRandom random = new SplittableRandom(11);
        long lastNanos = System.nanoTime();
        double due = 0;
        try {
            while (true) {
                TimeUnit.MILLISECONDS.sleep(TICK_MILLIS);
                long now = System.nanoTime();
                due += wantedRate.get() * ((now - lastNanos) / 1e9);
                lastNanos = now;
                int count = (int) due;
                due -= count;
                storm.start(count, random);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** How many nodes there should be: so that each does about what it should, within bounds. */
    static int wantedNodes(double opsPerSecond, double opsPerNode, int present) {
        int enough = (int) Math.ceil(opsPerSecond / opsPerNode);
        // One fewer only if that leaves some air: otherwise nodes come and go with every wave.
        int wanted = enough < present && opsPerSecond > 0.85 * opsPerNode * (present - 1) ? present : enough;
        return Math.max(LEAST_NODES, Math.min(MOST_NODES, wanted));
    }
}
