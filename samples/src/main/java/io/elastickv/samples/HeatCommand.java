package io.elastickv.samples;

import io.elastickv.api.ClusterView;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.OperationInfo;
import io.elastickv.api.ShardInfo;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Option;

/** Prints a row of the heat map each second, and the operations as they begin and end. */
@Command(
        name = "heat",
        mixinStandardHelpOptions = true,
        description =
                "Prints each second what the slots have to do, as a heat map: slots from left to right, time downwards. "
                        + "Operations on the placement are told between the rows.")
final class HeatCommand implements Callable<Integer> {

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss");
    private static final int HEADING_EVERY = 20;
    /** A column with fewer operations per second is not shown as hot, even if all others have none. */
    private static final double LEAST_HOT = 100;

    private final ClientSession session;

    @Option(
            names = "--for",
            paramLabel = "DURATION",
            defaultValue = "30s",
            description = "How long. Default: ${DEFAULT-VALUE}")
    private Duration length = Duration.ofSeconds(30);

    @Option(
            names = "--columns",
            paramLabel = "N",
            defaultValue = "64",
            description = "How many columns the 16384 slots are shown in, up to 512. Default: ${DEFAULT-VALUE}")
    private int columns = 64;

    @Option(
            names = "--plain",
            description =
                    "Characters instead of colours; so it is anyway if the output is no terminal, or NO_COLOR is set.")
    private boolean plain;

    HeatCommand(ClientSession session) {
        this.session = session;
    }

    @Override
    public Integer call() throws InterruptedException {
        if (columns < 1 || columns > 512) {
            throw new IllegalArgumentException("--columns " + columns + ": must be within 1-512");
        }
        ClusterView cluster = session.cluster();
        boolean colours = !plain && Help.Ansi.AUTO.enabled();
        HeatHistory history = new HeatHistory(columns);
        Set<String> told = new HashSet<>();
        cluster.operations().forEach(operation -> told.add(operation.id() + " " + operation.outcome()));
        String heading = "";
        long endNanos = System.nanoTime() + length.toNanos();
        for (long next = System.nanoTime(); next - endNanos < 0; next += 1_000_000_000L) {
            tell(cluster, told);
            List<ShardInfo> shards = cluster.shards();
            String shardLine = HeatText.shards(shards, columns);
            if (!shardLine.equals(heading) || history.rows().size() % HEADING_EVERY == 0) {
                heading = shardLine;
                session.out().println(" ".repeat(9) + shardLine);
            }
            try {
                HeatHistory.Row row = history.add(Instant.now(), cluster.slotLoads(session.timeout()));
                double sum = 0;
                for (double load : row.loads()) {
                    sum += load;
                }
                session.out()
                        .println(TIME.format(row.time().atZone(ZoneId.systemDefault())) + " "
                                + HeatText.row(row.loads(), Math.max(LEAST_HOT, history.most()), colours) + " "
                                + Figures.count(sum) + "/s");
            } catch (ElastickvException e) {
                session.err().println("warning: " + CommandLines.firstLine(e));
            }
            session.out().flush();
            long wait = next + 1_000_000_000L - System.nanoTime();
            if (wait > 0) {
                TimeUnit.NANOSECONDS.sleep(wait);
            }
        }
        return ExitCode.OK;
    }

    private void tell(ClusterView cluster, Set<String> told) {
        for (OperationInfo operation : cluster.operations()) {
            if (told.add(operation.id() + " " + operation.outcome())) {
                session.out()
                        .println("         " + (operation.isRunning() ? "begins " : "ended ") + operation.id() + ": "
                                + operation.what()
                                + (operation.isRunning()
                                        ? " because " + operation.reason()
                                        : ", " + Figures.word(operation.outcome()) + " in "
                                                + Figures.duration(operation.duration(Instant.now()))));
            }
        }
    }
}
