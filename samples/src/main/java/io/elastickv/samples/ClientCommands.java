package io.elastickv.samples;

import io.elastickv.api.Bytes;
import io.elastickv.api.ClusterView;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.KeyLocation;
import io.elastickv.api.NotAppliedException;
import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.api.PutOptions;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.ScanCursor;
import io.elastickv.api.ScanPage;
import io.elastickv.api.VersionedValue;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The client's commands, for the shell's command line and for its own prompt. */
final class ClientCommands {

    private static final int PAGE = 1_000;

    private ClientCommands() {}

    /** A command line with {@code root} at the top and all commands below it. */
    static CommandLine commandLine(Object root, ClientSession session) {
        CommandLine line = new CommandLine(root)
                .addSubcommand(new Put(session))
                .addSubcommand(new Get(session))
                .addSubcommand(new Delete(session))
                .addSubcommand(new Scan(session))
                .addSubcommand(new Explain(session))
                .addSubcommand(new StatusCommand(session))
                .addSubcommand(new HeatCommand(session))
                .addSubcommand(new PlacementCommands.Plan(session))
                .addSubcommand(new PlacementCommands.Drain(session))
                .addSubcommand(new PlacementCommands.Split(session))
                .addSubcommand(new PlacementCommands.Merge(session))
                .addSubcommand(new PlacementCommands.Move(session))
                .addSubcommand(new PlacementCommands.Rebalance(session))
                .addSubcommand(new PlacementCommands.Replication(session))
                .addSubcommand(new BackupCommands.Export(session))
                .addSubcommand(new BackupCommands.Import(session))
                .addSubcommand(new ReplicaCommands.Add(session))
                .addSubcommand(new ReplicaCommands.Remove(session));
        return CommandLines.prepare(line)
                .registerConverter(Duration.class, ClientArguments::duration)
                .registerConverter(ReadConsistency.class, ClientArguments::consistency)
                .setExecutionExceptionHandler((e, failed, parsed) -> report(e, session));
    }

    private static int report(Exception e, ClientSession session) {
        String message = CommandLines.firstLine(e);
        if (e instanceof InvalidRequestException || e instanceof IllegalArgumentException) {
            session.err().println("invalid: " + message);
            return ExitCode.USAGE;
        }
        if (e instanceof NotAppliedException || e instanceof IllegalStateException) {
            session.err().println("not applied: " + message);
            return ExitCode.NOT_APPLIED;
        }
        if (e instanceof UncheckedIOException) {
            session.err().println("not applied: " + message);
            return ExitCode.NOT_APPLIED;
        }
        if (e instanceof OutcomeUnknownException) {
            session.err().println("unknown whether applied: " + message);
            return ExitCode.UNKNOWN;
        }
        session.err().println("defect: " + e.getClass().getName() + ": " + message);
        return ExitCode.INTERNAL;
    }

    private static int notFound(ClientSession session) {
        session.err().println("not found");
        return ExitCode.NOT_FOUND;
    }

    @Command(name = "put", mixinStandardHelpOptions = true, description = "Writes a key and prints its new version.")
    private static final class Put implements Callable<Integer> {

        private final ClientSession session;

        @Parameters(index = "0", paramLabel = "KEY")
        private String key = "";

        @Parameters(index = "1", paramLabel = "VALUE")
        private String value = "";

        @Option(names = "--ttl", paramLabel = "DURATION", description = "Lets the key expire after, such as, 10s.")
        private @Nullable Duration ttl;

        Put(ClientSession session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            Duration expiry = ttl;
            PutOptions options = PutOptions.defaults();
            long version = session.store()
                    .put(Bytes.utf8(key), Bytes.utf8(value), expiry == null ? options : options.expireAfter(expiry))
                    .version();
            session.out().println("version " + version);
            return ExitCode.OK;
        }
    }

    @Command(name = "get", mixinStandardHelpOptions = true, description = "Prints the value of a key.")
    private static final class Get implements Callable<Integer> {

        private final ClientSession session;

        @Parameters(index = "0", paramLabel = "KEY")
        private String key = "";

        @Option(
                names = "--consistency",
                paramLabel = "linearizable|local|stale=DURATION",
                defaultValue = "linearizable",
                description = "How fresh the value must be: as of now, whatever some replica has, or at most so old. "
                        + "Default: ${DEFAULT-VALUE}")
        private ReadConsistency consistency = ReadConsistency.linearizable();

        Get(ClientSession session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            Optional<VersionedValue> found = session.store().get(Bytes.utf8(key), consistency);
            if (found.isEmpty()) {
                return notFound(session);
            }
            byte[] value = found.get().value().toByteArray();
            session.out().write(value, 0, value.length);
            session.out().println();
            return ExitCode.OK;
        }
    }

    @Command(name = "delete", mixinStandardHelpOptions = true, description = "Deletes a key.")
    private static final class Delete implements Callable<Integer> {

        private final ClientSession session;

        @Parameters(index = "0", paramLabel = "KEY")
        private String key = "";

        Delete(ClientSession session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            if (!session.store().delete(Bytes.utf8(key))) {
                return notFound(session);
            }
            session.out().println("deleted");
            return ExitCode.OK;
        }
    }

    @Command(
            name = "scan",
            mixinStandardHelpOptions = true,
            description = "Prints keys, one a line, in no particular order; a byte that is not printable as \\xNN.")
    private static final class Scan implements Callable<Integer> {

        private final ClientSession session;

        @Option(
                names = "--limit",
                paramLabel = "N",
                defaultValue = "1000",
                description = "Ends after so many. Default: ${DEFAULT-VALUE}")
        private long limit = 1_000;

        @Option(names = "--prefix", paramLabel = "TEXT", description = "Only keys that begin so; all are looked at.")
        private String prefix = "";

        Scan(ClientSession session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            byte[] start = Bytes.utf8(prefix).toByteArray();
            if (limit < 1) {
                throw new IllegalArgumentException("--limit " + limit + ": must be positive");
            }
            long printed = 0;
            ScanCursor cursor = ScanCursor.START;
            do {
                ScanPage page = session.store().scan(cursor, PAGE);
                for (Bytes key : page.keys()) {
                    if (!ClientArguments.startsWith(key, start)) {
                        continue;
                    }
                    if (printed == limit) {
                        session.out().flush();
                        session.err().println("there is more than --limit " + limit);
                        return ExitCode.OK;
                    }
                    session.out().println(ClientArguments.printable(key));
                    printed++;
                }
                cursor = page.next();
            } while (!cursor.isStart());
            return ExitCode.OK;
        }
    }

    @Command(name = "explain", mixinStandardHelpOptions = true, description = "Prints where a key lives.")
    private static final class Explain implements Callable<Integer> {

        private final ClientSession session;

        @Parameters(index = "0", paramLabel = "KEY")
        private String key = "";

        Explain(ClientSession session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            ClusterView cluster = session.cluster();
            KeyLocation location = cluster.explain(Bytes.utf8(key));
            session.out()
                    .println("slot " + location.slot() + ", shard " + location.shard() + ", leader "
                            + location.leader().orElse("unknown") + ", epoch " + location.epoch() + ", replicas "
                            + String.join(
                                    " ", cluster.shardOfSlot(location.slot()).replicas()));
            return ExitCode.OK;
        }
    }
}
