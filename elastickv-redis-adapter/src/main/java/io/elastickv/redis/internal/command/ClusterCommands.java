package io.elastickv.redis.internal.command;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import io.elastickv.api.UnsafeBytes;
import io.elastickv.redis.internal.resp.Replies;
import io.elastickv.redis.internal.resp.Reply;
import io.elastickv.redis.internal.topology.Topology;
import java.util.ArrayList;
import java.util.List;

/** What clients that know Redis Cluster ask. */
final class ClusterCommands {

    private static final int BUS_PORT_DISTANCE = 10_000;

    private final Server server;

    ClusterCommands(Server server) {
        this.server = server;
    }

    void define(CommandTable table) {
        CommandSpec cluster = table.add("cluster", -2)
                .group("cluster")
                .since("3.0.0")
                .doc("Tells cluster-aware clients where slots are.", "");
        sub(cluster, "info", 2, "Tells whether all slots are served.", "")
                .tips("nondeterministic_output")
                .does(call -> call.reply(Reply.verbatim(info())));
        sub(cluster, "slots", 2, "Tells which nodes have which slots.", "")
                .tips("nondeterministic_output")
                .does(call -> call.reply(slots()));
        sub(cluster, "shards", 2, "Tells the slots and nodes of each shard.", "")
                .since("7.0.0")
                .tips("nondeterministic_output")
                .does(call -> call.reply(shards()));
        sub(cluster, "nodes", 2, "Tells all nodes and the slots that each leads.", "")
                .tips("nondeterministic_output")
                .does(call -> call.reply(Reply.verbatim(nodes())));
        sub(cluster, "myid", 2, "Returns this node's id.", "")
                .does(call -> call.reply(Reply.bulk(topology().self().id())));
        sub(cluster, "myshardid", 2, "Returns the id of this node and its replicas.", "")
                .since("7.2.0")
                .tips("nondeterministic_output")
                .does(call -> call.reply(Reply.bulk(shardOf(topology().self()))));
        sub(cluster, "keyslot", 3, "Computes a key's slot.", "key")
                .does(call -> call.reply(Reply.integer(KeySlot.of(call.raw(2)))));
        sub(cluster, "countkeysinslot", 3, "Counts the keys of a slot, on whatever node.", "slot")
                .alone()
                .does(this::countKeysInSlot);
        sub(cluster, "getkeysinslot", 4, "Returns keys of a slot, on whatever node.", "slot count")
                .tips("nondeterministic_output")
                .alone()
                .does(this::getKeysInSlot);
        sub(cluster, "links", 2, "Always empty: the nodes' links are not Redis'.", "")
                .since("7.0.0")
                .tips("nondeterministic_output")
                .does(call -> call.reply(Replies.EMPTY_ARRAY));
        sub(cluster, "count-failure-reports", 3, "Always 0: nodes do not vote on each other's failure.", "node-id")
                .flags("admin stale")
                .tips("nondeterministic_output")
                .does(call -> {
                    node(call);
                    call.reply(Replies.ZERO);
                });
        sub(cluster, "replicas", 3, "Tells the nodes that lead nothing and follow this one.", "node-id")
                .since("5.0.0")
                .flags("admin stale")
                .tips("nondeterministic_output")
                .does(this::replicas);
        sub(cluster, "slaves", 3, "Tells the nodes that lead nothing and follow this one.", "node-id")
                .flags("admin stale")
                .tips("nondeterministic_output")
                .does(this::replicas);
        sub(cluster, "help", 2, "Lists the subcommands.", "")
                .since("5.0.0")
                .flags("loading stale")
                .does(call -> call.reply(Help.reply("CLUSTER", HELP)));
    }

    private static CommandSpec sub(CommandSpec cluster, String name, int arity, String summary, String syntax) {
        return cluster.sub(name, arity).since("3.0.0").flags("stale").doc(summary, syntax);
    }

    private static final List<String> HELP = List.of(
            "COUNT-FAILURE-REPORTS <node-id>",
            "    Return number of failure reports for <node-id>.",
            "COUNTKEYSINSLOT <slot>",
            "    Return the number of keys in <slot>.",
            "GETKEYSINSLOT <slot> <count>",
            "    Return key names stored in a slot, on whatever node.",
            "INFO",
            "    Return information about the cluster.",
            "KEYSLOT <key>",
            "    Return the hash slot for <key>.",
            "MYID",
            "    Return the node id.",
            "MYSHARDID",
            "    Return the node's shard id.",
            "NODES",
            "    Return cluster configuration seen by node. Output format:",
            "    <id> <ip:port> <flags> <master> <pings> <pongs> <epoch> <link> <slot> ...",
            "REPLICAS <node-id>",
            "    Return <node-id> replicas.",
            "SLOTS",
            "    Return information about slots range mappings. Each range is made of:",
            "    start, end, master and replicas IP addresses, ports and ids",
            "SHARDS",
            "    Return information about slot range mappings and the nodes associated with them.",
            "LINKS",
            "    Return information about all network links between this node and its peers.",
            "    Output format is an array where each array element is a map containing attributes of a link");

    private Topology topology() {
        return Topology.of(server.node().cluster(), Server.ADDRESS_ATTRIBUTE, server.advertisedHost(), server.port());
    }

    private String info() {
        Topology topology = topology();
        long masters = topology.nodes().stream()
                .filter(node -> !node.slots().isEmpty())
                .count();
        return "cluster_state:" + (topology.complete() ? "ok" : "fail") + "\r\n"
                + "cluster_slots_assigned:" + topology.assignedSlots() + "\r\n"
                + "cluster_slots_ok:" + topology.servedSlots() + "\r\n"
                + "cluster_slots_pfail:0\r\n"
                + "cluster_slots_fail:" + (topology.assignedSlots() - topology.servedSlots()) + "\r\n"
                + "cluster_known_nodes:" + topology.nodes().size() + "\r\n"
                + "cluster_size:" + masters + "\r\n"
                + "cluster_current_epoch:" + topology.epoch() + "\r\n"
                + "cluster_my_epoch:" + topology.self().epoch() + "\r\n"
                + "cluster_stats_messages_sent:0\r\n"
                + "cluster_stats_messages_received:0\r\n"
                + "total_cluster_links_buffer_limit_exceeded:0\r\n";
    }

    private Reply slots() {
        record Entry(SlotRange range, Topology.Shard shard) {}
        List<Entry> entries = new ArrayList<>();
        for (Topology.Shard shard : topology().shards()) {
            shard.slots().forEach(range -> entries.add(new Entry(range, shard)));
        }
        entries.sort(java.util.Comparator.comparingInt(entry -> entry.range().first()));
        List<Reply> replies = new ArrayList<>();
        for (Entry entry : entries) {
            List<Reply> items = new ArrayList<>();
            items.add(Reply.integer(entry.range().first()));
            items.add(Reply.integer(entry.range().last()));
            items.add(slotsNode(entry.shard().master()));
            entry.shard().replicas().forEach(replica -> items.add(slotsNode(replica)));
            replies.add(Reply.array(items));
        }
        return Reply.array(replies);
    }

    private static Reply slotsNode(Topology.Node node) {
        return Reply.array(
                Reply.bulk(node.host()),
                Reply.integer(node.port()),
                Reply.bulk(node.id()),
                new Reply.Dictionary(List.of()));
    }

    private Reply shards() {
        List<Reply> replies = new ArrayList<>();
        for (Topology.Shard shard : topology().shards()) {
            List<Reply> slots = new ArrayList<>();
            shard.slots().forEach(range -> {
                slots.add(Reply.integer(range.first()));
                slots.add(Reply.integer(range.last()));
            });
            List<Reply> nodes = new ArrayList<>();
            nodes.add(shardsNode(shard.master(), "master"));
            shard.replicas().forEach(replica -> nodes.add(shardsNode(replica, "replica")));
            replies.add(Reply.map("slots", Reply.array(slots), "nodes", Reply.array(nodes)));
        }
        return Reply.array(replies);
    }

    private static Reply shardsNode(Topology.Node node, String role) {
        return Reply.map(
                "id",
                node.id(),
                "port",
                node.port(),
                "ip",
                node.host(),
                "endpoint",
                node.host(),
                "role",
                role,
                "replication-offset",
                0,
                "health",
                "online");
    }

    private String nodes() {
        Topology topology = topology();
        StringBuilder lines = new StringBuilder();
        for (Topology.Node node : topology.nodes()) {
            lines.append(line(node, topology)).append('\n');
        }
        return lines.toString();
    }

    private String line(Topology.Node node, Topology topology) {
        boolean self = node.name().equals(topology.self().name());
        int busPort = node.port() + BUS_PORT_DISTANCE;
        StringBuilder line = new StringBuilder(node.id())
                .append(' ')
                .append(node.host())
                .append(':')
                .append(node.port())
                .append('@')
                .append(busPort > 65535 ? 0 : busPort)
                .append(self ? " myself," : " ")
                .append(node.master().isPresent() ? "slave " : "master ")
                .append(node.master().orElse("-"))
                .append(" 0 ")
                .append(self ? 0 : server.clock().millis())
                .append(' ')
                .append(node.epoch())
                .append(" connected");
        for (SlotRange range : node.slots()) {
            line.append(' ').append(range.first());
            if (range.last() != range.first()) {
                line.append('-').append(range.last());
            }
        }
        return line.toString();
    }

    /** Nodes that follow the same master are one shard; as an id, that of a node once more hashed. */
    private static String shardOf(Topology.Node node) {
        return Topology.id("shard of " + node.master().orElse(node.id()));
    }

    private Topology.Node node(Call call) {
        for (Topology.Node node : topology().nodes()) {
            if (node.id().equals(call.text(2))) {
                return node;
            }
        }
        throw new CommandException("ERR Unknown node " + CommandTable.quoted(call.raw(2), Integer.MAX_VALUE));
    }

    private void replicas(Call call) {
        Topology topology = topology();
        Topology.Node master = node(call);
        if (master.master().isPresent()) {
            throw new CommandException("ERR The specified node is not a master");
        }
        List<Reply> lines = new ArrayList<>();
        for (Topology.Node node : topology.nodes()) {
            if (node.master().filter(master.id()::equals).isPresent()) {
                lines.add(Reply.bulk(line(node, topology)));
            }
        }
        call.reply(Reply.array(lines));
    }

    private void countKeysInSlot(Call call) {
        long slot = call.integer(2);
        if (slot < 0 || slot >= KeySlot.COUNT) {
            throw new CommandException("ERR Invalid slot");
        }
        call.reply(server.store().sizeOfSlot((int) slot), Reply::integer);
    }

    private void getKeysInSlot(Call call) {
        long slot = call.integer(2);
        long count = call.integer(3);
        if (slot < 0 || slot >= KeySlot.COUNT || count < 0) {
            throw new CommandException("ERR Invalid slot or number of keys");
        }
        if (count == 0) {
            call.reply(Replies.EMPTY_ARRAY);
            return;
        }
        call.reply(server.store().keysOfSlot((int) slot, (int) Math.min(count, Integer.MAX_VALUE)), keys -> {
            List<Reply> replies = new ArrayList<>(keys.size());
            keys.forEach(key -> replies.add(Reply.bulk(UnsafeBytes.array(key))));
            return Reply.array(replies);
        });
    }
}
