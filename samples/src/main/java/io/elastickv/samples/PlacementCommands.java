package io.elastickv.samples;

import io.elastickv.api.Automation;
import io.elastickv.api.PlanInfo;
import io.elastickv.api.PlannedOperation;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The client's commands that look at, and change, what is done to the placement. */
final class PlacementCommands {

    private PlacementCommands() {}

    /** How long a command waits for what it asked for. */
    static final class Waiting {
        @Option(
                names = "--wait",
                paramLabel = "DURATION",
                defaultValue = "60s",
                description = "Gives up waiting after; what has begun goes on. Default: ${DEFAULT-VALUE}")
        private Duration wait = Duration.ofSeconds(60);
    }

    @Command(
            name = "plan",
            mixinStandardHelpOptions = true,
            description =
                    "Prints what would be done to the placement now, and what not, each with the reason. Changes nothing.")
    static final class Plan implements Callable<Integer> {

        private final ClientSession session;

        Plan(ClientSession session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            PlanInfo plan = session.cluster().plan(session.timeout());
            session.out().print(text(plan));
            return ExitCode.OK;
        }

        static String text(PlanInfo plan) {
            StringBuilder text = new StringBuilder();
            String line = System.lineSeparator();
            text.append(plan.summary())
                    .append("; automation ")
                    .append(Figures.word(plan.automation()))
                    .append(line);
            if (plan.operations().isEmpty()) {
                text.append("nothing to do").append(line);
            }
            for (PlannedOperation operation : plan.operations()) {
                text.append("do    ").append(operation.what()).append(line);
                text.append("      because ").append(operation.reason()).append(line);
            }
            for (PlanInfo.NotDone not : plan.notDone()) {
                text.append("leave ").append(not.subject());
                if (not.count() > 1) {
                    text.append(" and ").append(not.count() - 1).append(" more");
                }
                text.append(" (")
                        .append(not.rule().toLowerCase(Locale.ROOT).replace('_', ' '))
                        .append("): ");
                text.append(not.reason()).append(line);
            }
            return text.toString();
        }
    }

    @Command(
            name = "drain",
            mixinStandardHelpOptions = true,
            description =
                    "Lets a member give away its leaderships and then its replicas, and waits until it may be stopped.")
    static final class Drain implements Callable<Integer> {

        private final ClientSession session;

        @Parameters(index = "0", paramLabel = "NODE")
        private String node = "";

        @Mixin
        private Waiting waiting = new Waiting();

        Drain(ClientSession session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            session.cluster().drainNode(node, waiting.wait);
            session.out().println("node " + node + " has no replica any more and may be stopped");
            return ExitCode.OK;
        }
    }

    @Command(
            name = "split",
            mixinStandardHelpOptions = true,
            description = "Splits a shard in place: a new one gets its slots from SLOT on.")
    static final class Split implements Callable<Integer> {

        private final ClientSession session;

        @Parameters(index = "0", paramLabel = "SHARD")
        private int shard;

        @Parameters(index = "1", paramLabel = "SLOT")
        private int slot;

        @Mixin
        private Waiting waiting = new Waiting();

        Split(ClientSession session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            int child = session.cluster().splitShard(shard, slot, waiting.wait);
            session.out().println("shard " + child + " has the slots of shard " + shard + " from " + slot + " on");
            return ExitCode.OK;
        }
    }

    @Command(
            name = "merge",
            mixinStandardHelpOptions = true,
            description = "Merges a shard with the one whose slots follow its own.")
    static final class Merge implements Callable<Integer> {

        private final ClientSession session;

        @Parameters(index = "0", paramLabel = "SHARD")
        private int shard;

        @Mixin
        private Waiting waiting = new Waiting();

        Merge(ClientSession session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            session.cluster().mergeShards(shard, waiting.wait);
            session.out().println("shard " + shard + " has the slots of the shard that followed it");
            return ExitCode.OK;
        }
    }

    @Command(
            name = "move",
            mixinStandardHelpOptions = true,
            description = "Moves a replica of a shard from one member to another.")
    static final class Move implements Callable<Integer> {

        private final ClientSession session;

        @Parameters(index = "0", paramLabel = "SHARD")
        private int shard;

        @Parameters(index = "1", paramLabel = "FROM")
        private String from = "";

        @Parameters(index = "2", paramLabel = "TO")
        private String to = "";

        @Mixin
        private Waiting waiting = new Waiting();

        Move(ClientSession session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            session.cluster().moveReplica(shard, from, to, waiting.wait);
            session.out().println("shard " + shard + " has a replica on " + to + " in place of that on " + from);
            return ExitCode.OK;
        }
    }

    /** What {@code rebalance} can be told. */
    enum Rebalancing {
        ON(Automation.ALL),
        REPAIRS(Automation.REPAIRS),
        OFF(Automation.OFF);

        private final Automation automation;

        Rebalancing(Automation automation) {
            this.automation = automation;
        }
    }

    @Command(
            name = "rebalance",
            mixinStandardHelpOptions = true,
            description =
                    "Says how much the cluster does to its placement by itself: all (on), only what keeps the data "
                            + "safe (repairs), or nothing (off).")
    static final class Rebalance implements Callable<Integer> {

        private final ClientSession session;

        @Parameters(index = "0", paramLabel = "on|repairs|off")
        private Rebalancing choice = Rebalancing.ON;

        Rebalance(ClientSession session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            session.cluster().setAutomation(choice.automation, session.timeout());
            session.out().println("automation " + Figures.word(choice.automation));
            return ExitCode.OK;
        }
    }

    @Command(
            name = "replication",
            mixinStandardHelpOptions = true,
            description =
                    "Changes how many replicas each shard should have; they are added or removed in the background.")
    static final class Replication implements Callable<Integer> {

        private final ClientSession session;

        @Parameters(index = "0", paramLabel = "N")
        private int replicas;

        Replication(ClientSession session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            session.cluster().setReplicationFactor(replicas, session.timeout());
            session.out().println("replication factor " + replicas);
            return ExitCode.OK;
        }
    }
}
