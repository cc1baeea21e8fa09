package io.elastickv.samples;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * Starts a cluster to play with: three nodes in this process, or one node of a cluster of several processes. Prints one
 * line to standard output when it serves; logs to standard error.
 */
@Command(
        name = "elastickv-demo",
        mixinStandardHelpOptions = true,
        versionProvider = Versions.class,
        sortOptions = false,
        usageHelpAutoWidth = true,
        description =
                "Runs a cluster that redis-cli can use: three nodes in this process, or with --node one node of a "
                        + "cluster of several processes.",
        footer = {
            "",
            "Three processes:",
            "  S=127.0.0.1:7801,127.0.0.1:7802,127.0.0.1:7803",
            "  java -jar elastickv-demo.jar --node n1 --port 7801 --seeds $S --redis-port 63791 --data d1",
            "  java -jar elastickv-demo.jar --node n2 --port 7802 --seeds $S --redis-port 63792 --data d2",
            "  java -jar elastickv-demo.jar --node n3 --port 7803 --seeds $S --redis-port 63793 --data d3"
        })
public final class DemoMain implements Callable<Integer> {

    /** What is left of the five seconds that a user should wait at most is for removing files. */
    private static final long CLOSE_MILLIS = 4_000;

    private volatile boolean stopping;

    @Mixin
    private DemoOptions options = new DemoOptions();

    /** Runs the demo until a signal or a failure ends it. */
    public static void main(String[] args) {
        System.exit(commandLine(new DemoMain()).execute(args));
    }

    static CommandLine commandLine(DemoMain command) {
        CommandLine root =
                new CommandLine(command).addSubcommand(new HotSpotDemo()).addSubcommand(new ScalingDemo());
        return HotSpotDemo.prepare(root).setExecutionExceptionHandler((e, line, parsed) -> {
            if (!command.stopping) { // otherwise it failed because it is being closed, which is no news
                line.getErr().println(line.getCommandName() + ": " + CommandLines.firstLine(e));
            }
            return ExitCode.FAILED;
        });
    }

    @Override
    public Integer call() {
        List<NodeSettings> nodes = options.nodes();
        try (DemoCluster cluster = new DemoCluster(options)) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> closeInTime(cluster), "elastickv-demo-shutdown"));
            List<String> redis = cluster.start(nodes);
            if (stopping) {
                return ExitCode.FAILED; // the signal decides the exit code
            }
            System.out.println("ready redis=" + String.join(",", redis));
            System.out.flush();
            throw new StartException(cluster.awaitFailure(), null);
        }
    }

    /** A process that was told to end must end, even if something in it hangs. */
    private void closeInTime(DemoCluster cluster) {
        stopping = true;
        Thread closer = new Thread(cluster::close, "elastickv-demo-close");
        closer.setDaemon(true);
        closer.start();
        try {
            closer.join(CLOSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (closer.isAlive()) {
            System.err.println("elastickv-demo: closing took more than " + CLOSE_MILLIS + " ms, gave up");
            cluster.removeTemporaryFiles();
        }
    }

    DemoOptions options() {
        return options;
    }
}
