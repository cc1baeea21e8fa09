package io.elastickv.samples;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/**
 * Joins a cluster as a node without data and runs one command, or asks for commands. Results go to standard output,
 * errors in one line to standard error; the exit code tells them apart.
 */
@Command(
        name = "elastickv-client",
        mixinStandardHelpOptions = true,
        versionProvider = Versions.class,
        sortOptions = false,
        usageHelpAutoWidth = true,
        synopsisSubcommandLabel = "[COMMAND]",
        description = "Joins a cluster as a node without data and runs COMMAND; without one, asks for commands.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            " 0:done",
            " 1:get, delete: the key does not exist",
            " 2:the command line or the request is wrong",
            " 3:not applied: no leader or majority was reached in time, the cluster is overloaded, or a file could not be"
                    + " written",
            " 4:unknown: a write may or may not have been applied",
        })
public final class ClientMain implements Callable<Integer> {

    @Option(
            names = "--seeds",
            paramLabel = "HOST:PORT",
            split = ",",
            scope = ScopeType.INHERIT,
            defaultValue = "127.0.0.1:7801,127.0.0.1:7802,127.0.0.1:7803",
            description = "Addresses of members. Default: ${DEFAULT-VALUE}")
    private List<String> seeds = List.of();

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            scope = ScopeType.INHERIT,
            defaultValue = "5s",
            description = "How long an operation may take, such as 500ms or 5s. Default: ${DEFAULT-VALUE}")
    private Duration timeout = Duration.ofSeconds(5);

    @Option(
            names = "--host",
            paramLabel = "HOST",
            scope = ScopeType.INHERIT,
            defaultValue = "127.0.0.1",
            description = "The address of this machine at which members reach the client. Default: ${DEFAULT-VALUE}")
    private String host = "127.0.0.1";

    private final ClientSession session = new ClientSession(this::settings, System.out, System.err);

    /** Runs the client. */
    public static void main(String[] args) {
        if (System.getProperty("elastickv.log") == null) {
            System.setProperty("elastickv.log", "WARN");
        }
        ClientMain client = new ClientMain();
        int code;
        try (ClientSession closing = client.session) {
            code = ClientCommands.commandLine(client, client.session).execute(args);
        }
        System.exit(code);
    }

    private ClientSession.Settings settings() {
        return new ClientSession.Settings(seeds, timeout, host);
    }

    @Override
    public Integer call() {
        return new ClientConsole(session).run();
    }
}
