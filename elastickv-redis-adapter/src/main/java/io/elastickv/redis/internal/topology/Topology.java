package io.elastickv.redis.internal.topology;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.api.ClusterView;
import io.elastickv.api.NodeInfo;
import io.elastickv.api.ShardInfo;
import io.elastickv.api.SlotRange;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The cluster in the terms of Redis Cluster, as one node sees it at one moment. Only nodes whose adapter's address is
 * known are in it. Slots whose leader is not known, or not by address, are this node's: it takes any command and
 * forwards it.
 *
 * <p>Redis knows masters, with slots, and replicas, of one master each; here a node may lead some shards and follow in
 * others. As a node ({@link #nodes()}), one that leads any slot is a master of all slots that it leads, and one that
 * leads none is a replica of the leader of the first shard that it follows. As a group ({@link #shards()}), each shard has
 * its leader as master and the other replicas as replicas. Immutable.
 */
public final class Topology {

    /**
     * A node with an adapter.
     *
     * @param name the node's name in the cluster
     * @param id 40 hexadecimal digits, the same for the same name forever
     * @param host where its adapter is reached
     * @param port where its adapter is reached
     * @param master the node whose replica it is; empty for a master
     * @param slots the slots that it leads, merged, in order
     * @param epoch the latest term in which it leads
     */
    public record Node(
            String name,
            String id,
            String host,
            int port,
            Optional<String> master,
            List<SlotRange> slots,
            long epoch) {}

    /**
     * A shard.
     *
     * @param slots its slots, in order
     * @param master who takes its commands
     * @param replicas the other nodes that have it
     */
    public record Shard(List<SlotRange> slots, Node master, List<Node> replicas) {}

    private final Node self;
    private final List<Node> nodes;
    private final List<Shard> shards;
    private final boolean complete;
    private final int assignedSlots;
    private final int servedSlots;
    private final long epoch;

    private Topology(
            Node self,
            List<Node> nodes,
            List<Shard> shards,
            boolean complete,
            int assignedSlots,
            int servedSlots,
            long epoch) {
        this.self = self;
        this.nodes = nodes;
        this.shards = shards;
        this.complete = complete;
        this.assignedSlots = assignedSlots;
        this.servedSlots = servedSlots;
        this.epoch = epoch;
    }

    /**
     * What {@code cluster} knows now.
     *
     * @param attribute the attribute under which nodes publish {@code host:port} of their adapters
     * @param selfHost where this node's adapter is reached
     * @param selfPort where this node's adapter is reached
     */
    public static Topology of(ClusterView cluster, String attribute, String selfHost, int selfPort) {
        String selfName = cluster.localNode();
        Map<String, Address> addresses = new LinkedHashMap<>();
        for (NodeInfo info : cluster.nodes()) {
            Address address = info.name().equals(selfName)
                    ? new Address(selfHost, selfPort)
                    : Address.parse(info.attributes().get(attribute));
            if (address != null
                    && (info.state() == NodeInfo.State.UP || info.name().equals(selfName))) {
                addresses.put(info.name(), address);
            }
        }
        addresses.putIfAbsent(selfName, new Address(selfHost, selfPort));

        List<ShardInfo> infos = cluster.shards();
        Map<String, List<SlotRange>> led = new LinkedHashMap<>();
        Map<String, Long> terms = new LinkedHashMap<>();
        int assigned = 0;
        int served = 0;
        long latest = 0;
        for (ShardInfo shard : infos) {
            String master = master(shard, addresses, selfName);
            led.computeIfAbsent(master, name -> new ArrayList<>()).addAll(shard.slots());
            terms.merge(master, shard.term(), Math::max);
            latest = Math.max(latest, shard.term());
            int slots = shard.slots().stream().mapToInt(SlotRange::size).sum();
            assigned += slots;
            served += shard.leader().isPresent() ? slots : 0;
        }

        Map<String, Node> nodes = new LinkedHashMap<>();
        addresses.forEach((name, address) -> nodes.put(
                name,
                new Node(
                        name,
                        id(name),
                        address.host(),
                        address.port(),
                        led.containsKey(name) ? Optional.empty() : followed(name, infos, addresses, selfName),
                        merge(led.getOrDefault(name, List.of())),
                        terms.getOrDefault(name, 0L))));

        List<Shard> shards = new ArrayList<>();
        for (ShardInfo info : infos) {
            Node master = known(nodes, master(info, addresses, selfName));
            List<Node> replicas = new ArrayList<>();
            for (String replica : info.replicas()) {
                Node node = nodes.get(replica);
                if (node != null && !node.name().equals(master.name())) {
                    replicas.add(node);
                }
            }
            if (!info.slots().isEmpty()) {
                shards.add(new Shard(merge(info.slots()), master, List.copyOf(replicas)));
            }
        }
        shards.sort(Comparator.comparingInt(shard -> shard.slots().get(0).first()));
        return new Topology(
                known(nodes, selfName),
                List.copyOf(nodes.values()),
                List.copyOf(shards),
                served == io.elastickv.api.KeySlot.COUNT,
                assigned,
                served,
                latest);
    }

    private static Node known(Map<String, Node> nodes, String name) {
        Node node = nodes.get(name);
        if (node == null) {
            throw new IllegalStateException("node " + name + ": not in the topology");
        }
        return node;
    }

    private static String master(ShardInfo shard, Map<String, Address> addresses, String self) {
        return shard.leader().filter(addresses::containsKey).orElse(self);
    }

    /** The id of the master whose replica a node is that leads nothing; empty if it has no replica of anything. */
    private static Optional<String> followed(
            String name, List<ShardInfo> shards, Map<String, Address> addresses, String self) {
        for (ShardInfo shard : shards) {
            if (shard.replicas().contains(name)) {
                return Optional.of(id(master(shard, addresses, self)));
            }
        }
        return Optional.empty();
    }

    private static List<SlotRange> merge(List<SlotRange> ranges) {
        List<SlotRange> sorted = new ArrayList<>(ranges);
        sorted.sort(Comparator.comparingInt(SlotRange::first));
        List<SlotRange> merged = new ArrayList<>();
        for (SlotRange range : sorted) {
            int last = merged.size() - 1;
            if (last >= 0 && merged.get(last).last() + 1 == range.first()) {
                merged.set(last, new SlotRange(merged.get(last).first(), range.last()));
            } else {
                merged.add(range);
            }
        }
        return List.copyOf(merged);
    }

    /** The id of the node with this name: the SHA-1 of the name. */
    public static String id(String name) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(name.getBytes(UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-1", e);
        }
    }

    /** The node that answers. */
    public Node self() {
        return self;
    }

    /** All nodes whose adapter is known, this one included. */
    public List<Node> nodes() {
        return nodes;
    }

    /** All shards, by their first slot. */
    public List<Shard> shards() {
        return shards;
    }

    /** Whether every slot has a leader. */
    public boolean complete() {
        return complete;
    }

    /** The number of slots that are some shard's. */
    public int assignedSlots() {
        return assignedSlots;
    }

    /** The number of slots whose shard has a leader. */
    public int servedSlots() {
        return servedSlots;
    }

    /** The latest term of any shard. */
    public long epoch() {
        return epoch;
    }

    private record Address(String host, int port) {

        static @Nullable Address parse(@Nullable String text) {
            if (text == null) {
                return null;
            }
            int colon = text.lastIndexOf(':');
            if (colon < 1) {
                return null;
            }
            try {
                int port = Integer.parseInt(text.substring(colon + 1));
                return port > 0 && port <= 65535 ? new Address(text.substring(0, colon), port) : null;
            } catch (NumberFormatException e) {
                return null;
            }
        }
    }
}
