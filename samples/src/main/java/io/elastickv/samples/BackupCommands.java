package io.elastickv.samples;

import io.elastickv.api.BackupInfo;
import io.elastickv.api.ImportMode;
import io.elastickv.api.ImportResult;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes and restores backups of the whole cluster. */
final class BackupCommands {

    private BackupCommands() {}

    @Command(
            name = "export",
            mixinStandardHelpOptions = true,
            description = "Writes all that the cluster holds at one moment into a new file on this machine.")
    static final class Export implements Callable<Integer> {

        private final ClientSession session;

        @Parameters(index = "0", paramLabel = "FILE")
        private Path file = Path.of("");

        @Option(
                names = "--within",
                paramLabel = "DURATION",
                defaultValue = "1h",
                description = "How long it may take, such as 30s or 1h. Default: ${DEFAULT-VALUE}")
        private Duration within = Duration.ofHours(1);

        Export(ClientSession session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            BackupInfo info = session.backups().exportTo(file, within);
            session.out()
                    .println("exported " + info.entries() + " entries of " + info.shards() + " shards, " + info.bytes()
                            + " bytes, as of " + info.takenAt());
            return ExitCode.OK;
        }
    }

    @Command(
            name = "import",
            mixinStandardHelpOptions = true,
            description = "Verifies a backup and writes its keys into the cluster, but for those that have expired.")
    static final class Import implements Callable<Integer> {

        private final ClientSession session;

        @Parameters(index = "0", paramLabel = "FILE")
        private Path file = Path.of("");

        @Option(
                names = "--over-existing",
                description = "Replaces keys that the cluster has; without it, the cluster must be empty.")
        private boolean overExisting;

        @Option(
                names = "--within",
                paramLabel = "DURATION",
                defaultValue = "1h",
                description = "How long it may take, such as 30s or 1h. Default: ${DEFAULT-VALUE}")
        private Duration within = Duration.ofHours(1);

        Import(ClientSession session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            ImportResult result = session.backups()
                    .importFrom(file, overExisting ? ImportMode.OVER_EXISTING : ImportMode.INTO_EMPTY, within);
            session.out()
                    .println("imported " + result.restored() + " entries as of "
                            + result.backup().takenAt() + ", " + result.expired() + " had expired");
            return ExitCode.OK;
        }
    }
}
