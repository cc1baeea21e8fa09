package io.elastickv.samples;

import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The client's commands that change where a shard's replicas are. */
final class ReplicaCommands {

    private ReplicaCommands() {}

    @Command(
            name = "add-replica",
            mixinStandardHelpOptions = true,
            description = "Adds a replica of a shard on a member, and waits until it has everything and votes.")
    static final class Add implements Callable<Integer> {

        private final ClientSession session;

        @Parameters(index = "0", paramLabel = "SHARD")
        private int shard;

        @Parameters(index = "1", paramLabel = "NODE")
        private String node = "";

        @Option(
                names = "--wait",
                paramLabel = "DURATION",
                defaultValue = "60s",
                description = "Gives up waiting after; what has begun goes on. Default: ${DEFAULT-VALUE}")
        private Duration wait = Duration.ofSeconds(60);

        Add(ClientSession session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            session.cluster().addReplica(shard, node, wait);
            session.out().println("shard " + shard + " has a replica on " + node);
            return ExitCode.OK;
        }
    }

    @Command(
            name = "remove-replica",
            mixinStandardHelpOptions = true,
            description = "Takes a member's replica out of a shard; the member deletes its data.")
    static final class Remove implements Callable<Integer> {

        private final ClientSession session;

        @Parameters(index = "0", paramLabel = "SHARD")
        private int shard;

        @Parameters(index = "1", paramLabel = "NODE")
        private String node = "";

        @Option(
                names = "--wait",
                paramLabel = "DURATION",
                defaultValue = "60s",
                description = "Gives up waiting after; it may still happen. Default: ${DEFAULT-VALUE}")
        private Duration wait = Duration.ofSeconds(60);

        Remove(ClientSession session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            session.cluster().removeReplica(shard, node, wait);
            session.out().println("shard " + shard + " has no replica on " + node);
            return ExitCode.OK;
        }
    }
}
