package io.elastickv.samples;

import io.elastickv.api.ClusterLoads;
import io.elastickv.api.ClusterView;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.NodeInfo;
import io.elastickv.api.NodeLoadInfo;
import io.elastickv.api.OperationInfo;
import io.elastickv.api.ReplicaInfo;
import io.elastickv.api.ShardInfo;
import io.elastickv.api.ShardLoadInfo;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Prints nodes, shards and operations, with what each has to do. */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description =
                "Prints the nodes, the shards and the operations on the placement. LOAD is what a node has to do in terms"
                        + " of the mean of all nodes.")
final class StatusCommand implements Callable<Integer> {

    private final ClientSession session;

    @Option(
            names = "--replicas",
            description = "Also prints for each replica up to which log index it agrees with its leader and how many "
                    + "committed entries it lacks.")
    private boolean replicas;

    @Option(
            names = "--operations",
            paramLabel = "N",
            defaultValue = "10",
            description = "How many operations that have ended are printed; running ones always are. Default: "
                    + "${DEFAULT-VALUE}")
    private int operations = 10;

    StatusCommand(ClientSession session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        ClusterView cluster = session.cluster();
        ClusterLoads loads = loads(cluster);
        session.out()
                .println("cluster " + cluster.clusterId() + ", replication factor " + cluster.replicationFactor()
                        + ", automation " + Figures.word(cluster.automation()));
        session.out().println();
        session.out().print(nodes(cluster, loads));
        session.out().println();
        session.out().print(shards(cluster, loads));
        if (replicas) {
            session.out().println();
            session.out().print(replicas(cluster));
        }
        List<OperationInfo> shown = shown(cluster.operations(), operations);
        if (!shown.isEmpty()) {
            session.out().println();
            session.out().print(Figures.operations(shown, Instant.now()));
        }
        return ExitCode.OK;
    }

    private @Nullable ClusterLoads loads(ClusterView cluster) {
        try {
            return cluster.loads(session.timeout());
        } catch (ElastickvException e) {
            session.err().println("warning: no loads: " + CommandLines.firstLine(e));
            return null;
        }
    }

    /** All that are running, and the last ones that are not. */
    static List<OperationInfo> shown(List<OperationInfo> all, int ended) {
        long left = all.stream().filter(operation -> !operation.isRunning()).count() - ended;
        List<OperationInfo> shown = new ArrayList<>();
        for (OperationInfo operation : all) {
            if (operation.isRunning() || --left < 0) {
                shown.add(operation);
            }
        }
        return shown;
    }

    static TextTable nodes(ClusterView cluster, @Nullable ClusterLoads loads) {
        TextTable table = new TextTable(
                "NODE",
                "ADDRESS",
                "KIND",
                "STATE",
                "ZONE",
                "LIFECYCLE",
                "LEADERS",
                "REPLICAS",
                "OPS/S",
                "LOAD",
                "DATA",
                "FREE",
                "REDIS");
        for (NodeInfo node : cluster.nodes()) {
            Optional<NodeLoadInfo> load = loads == null ? Optional.empty() : loads.node(node.name());
            table.row(
                    node.name().equals(cluster.localNode()) ? node.name() + " (this client)" : node.name(),
                    node.address(),
                    node.member() ? "member" : "storageless",
                    Figures.word(node.state()),
                    node.zone().isEmpty() ? "-" : node.zone(),
                    node.member() ? Figures.word(node.lifecycle()) : "-",
                    load.map(each -> Integer.toString(each.leaders())).orElse("-"),
                    load.map(each -> Integer.toString(each.replicas())).orElse("-"),
                    load.map(each -> Figures.count(each.opsPerSecond())).orElse("-"),
                    load.map(each -> String.format(Locale.ROOT, "%.2f", each.load()))
                            .orElse("-"),
                    load.map(each -> Figures.bytes(each.storedBytes())).orElse("-"),
                    load.map(each -> Figures.bytes(each.freeBytes())).orElse("-"),
                    node.attributes().getOrDefault("redis.address", "-"));
        }
        return table;
    }

    static TextTable shards(ClusterView cluster, @Nullable ClusterLoads loads) {
        TextTable table = new TextTable(
                "SHARD",
                "SLOTS",
                "EPOCH",
                "STATE",
                "LEADER",
                "REPLICAS",
                "SIZE",
                "ENTRIES",
                "OPS/S",
                "READS/S",
                "WRITES/S",
                "HOT KEYS");
        for (ShardInfo shard : cluster.shards()) {
            Optional<ShardLoadInfo> load = loads == null ? Optional.empty() : loads.shard(shard.id());
            table.row(
                    Integer.toString(shard.id()),
                    Figures.slots(shard.slots()),
                    Long.toString(shard.epoch()),
                    Figures.word(shard.state()),
                    shard.leader().orElse("none"),
                    String.join(" ", shard.replicas()),
                    load.map(each -> Figures.bytes(each.sizeBytes())).orElse("-"),
                    load.map(each -> Long.toString(each.entries())).orElse("-"),
                    load.map(each -> Figures.count(each.opsPerSecond())).orElse("-"),
                    load.map(each -> Figures.count(each.readsPerSecond())).orElse("-"),
                    load.map(each -> Figures.count(each.writesPerSecond())).orElse("-"),
                    load.map(StatusCommand::hotKeys).orElse(""));
        }
        return table;
    }

    private static String hotKeys(ShardLoadInfo load) {
        List<String> texts = new ArrayList<>();
        load.hotKeys().stream()
                .limit(2)
                .forEach(key -> texts.add(ClientArguments.printable(key.key()) + " "
                        + Math.round(key.shareOfSlot() * 100) + "% of slot " + key.slot()
                        + (key.relieved() ? " (relieved)" : "")));
        return String.join(", ", texts);
    }

    private TextTable replicas(ClusterView cluster) {
        TextTable table = new TextTable("SHARD", "TERM", "REPLICA", "KIND", "MATCH", "LAG");
        for (ShardInfo shard : cluster.shards()) {
            List<ReplicaInfo> known = new ArrayList<>();
            if (shard.leader().isPresent()) {
                try {
                    known.addAll(cluster.replication(shard.id(), session.timeout()));
                } catch (ElastickvException e) {
                    session.err().println("warning: " + CommandLines.firstLine(e));
                }
            }
            String term = Long.toString(shard.term());
            String id = Integer.toString(shard.id());
            if (known.isEmpty()) {
                shard.replicas().forEach(name -> table.row(id, term, name, "voter", "?", "?"));
            }
            known.forEach(replica -> table.row(
                    id,
                    term,
                    replica.node(),
                    replica.leader() ? "leader" : replica.voter() ? "voter" : "learner",
                    Long.toString(replica.matchIndex()),
                    Long.toString(replica.lag())));
        }
        return table;
    }
}
