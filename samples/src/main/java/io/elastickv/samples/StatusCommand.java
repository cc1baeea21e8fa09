package io.elastickv.samples;

import io.elastickv.api.ClusterView;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.NodeInfo;
import io.elastickv.api.ReplicaInfo;
import io.elastickv.api.ShardInfo;
import io.elastickv.api.SlotRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;

/** Prints nodes and shards. */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description = "Prints the nodes and the shards, and for each replica up to which log index it agrees with its "
                + "leader and how many committed entries it lacks.")
final class StatusCommand implements Callable<Integer> {

    private final ClientSession session;

    StatusCommand(ClientSession session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        ClusterView cluster = session.cluster();
        TextTable nodes = new TextTable("NODE", "ADDRESS", "KIND", "STATE", "REDIS");
        for (NodeInfo node : cluster.nodes()) {
            nodes.row(
                    node.name().equals(cluster.localNode()) ? node.name() + " (this client)" : node.name(),
                    node.address(),
                    node.member() ? "member" : "storageless",
                    lower(node.state()),
                    node.attributes().getOrDefault("redis.address", "-"));
        }
        TextTable shards =
                new TextTable("SHARD", "SLOTS", "LEADER", "TERM", "EPOCH", "STATE", "REPLICA", "MATCH", "LAG");
        for (ShardInfo shard : cluster.shards()) {
            addShard(shards, shard, cluster);
        }
        session.out().println("cluster " + cluster.clusterId());
        session.out().println();
        session.out().print(nodes);
        session.out().println();
        session.out().print(shards);
        return ExitCode.OK;
    }

    private void addShard(TextTable table, ShardInfo shard, ClusterView cluster) {
        List<ReplicaInfo> replicas = new ArrayList<>();
        if (shard.leader().isPresent()) {
            try {
                replicas.addAll(cluster.replication(shard.id(), session.timeout()));
            } catch (ElastickvException e) {
                session.err().println("warning: " + CommandLines.firstLine(e));
            }
        }
        List<String> columns = new ArrayList<>(List.of(
                Integer.toString(shard.id()),
                slots(shard.slots()),
                shard.leader().orElse("none"),
                Long.toString(shard.term()),
                Long.toString(shard.epoch()),
                lower(shard.state())));
        if (replicas.isEmpty()) {
            shard.replicas().forEach(name -> addReplica(table, columns, name, "?", "?"));
        } else {
            replicas.forEach(replica -> addReplica(
                    table,
                    columns,
                    replica.voter() ? replica.node() : replica.node() + " (learner)",
                    Long.toString(replica.matchIndex()),
                    Long.toString(replica.lag())));
        }
    }

    /** What all replicas of a shard share is shown with the first. */
    private static void addReplica(TextTable table, List<String> shard, String node, String match, String lag) {
        List<String> row = new ArrayList<>(shard);
        row.addAll(List.of(node, match, lag));
        table.row(row.toArray(new String[0]));
        shard.replaceAll(column -> "");
    }

    private static String slots(List<SlotRange> ranges) {
        return ranges.stream().map(range -> range.first() + "-" + range.last()).collect(Collectors.joining(","));
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
