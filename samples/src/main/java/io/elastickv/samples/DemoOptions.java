package io.elastickv.samples;

import io.elastickv.embedded.Durability;
import io.elastickv.embedded.Elastickv;
import io.elastickv.embedded.StorageEngine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of the demo, and what they mean. */
final class DemoOptions {

    private static final int NODES = 3;
    private static final int DEFAULT_REDIS_PORT = 63791;
    private static final int MAX_PORT = 65_535;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--node",
            paramLabel = "NAME",
            description = "Runs one node of this name. Without it three nodes, n1 to n3, run in this process.")
    private @Nullable String node;

    @Option(
            names = "--host",
            paramLabel = "HOST",
            defaultValue = "127.0.0.1",
            description = "Where the other nodes reach this one. Default: ${DEFAULT-VALUE}")
    private String host = "127.0.0.1";

    @Option(
            names = "--port",
            paramLabel = "P",
            defaultValue = "" + Elastickv.DEFAULT_PORT,
            description = "The cluster port; of three nodes the first, the others take the next. "
                    + "Default: ${DEFAULT-VALUE}")
    private int port = Elastickv.DEFAULT_PORT;

    @Option(
            names = "--seeds",
            paramLabel = "HOST:PORT",
            split = ",",
            description = "The addresses of all initial members, this node's among them; needs --node. "
                    + "A node without seeds is a whole cluster.")
    private List<String> seeds = List.of();

    @Option(
            names = "--redis-host",
            paramLabel = "HOST",
            description = "Where Redis clients reach the node. Default: as --host")
    private @Nullable String redisHost;

    @Option(
            names = "--redis-port",
            paramLabel = "R",
            defaultValue = "" + DEFAULT_REDIS_PORT,
            description = "The port for Redis clients; of three nodes the first, the others take the next. 0 takes "
                    + "free ones. Default: ${DEFAULT-VALUE}")
    private int redisPort = DEFAULT_REDIS_PORT;

    @Option(
            names = "--password",
            paramLabel = "SECRET",
            defaultValue = "${env:ELASTICKV_PASSWORD}",
            description = "What Redis clients must give with AUTH. Default: the environment's ELASTICKV_PASSWORD, "
                    + "or none")
    private @Nullable String password;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Where the data is kept; three nodes take a directory each in it. Default: a temporary "
                    + "directory, removed on exit")
    private @Nullable Path data;

    @Option(
            names = "--shards",
            paramLabel = "N",
            defaultValue = "8",
            description = "How many shards a new cluster gets. Default: ${DEFAULT-VALUE}")
    private int shards = 8;

    @Option(
            names = "--replication",
            paramLabel = "N",
            defaultValue = "3",
            description = "On how many nodes a new cluster keeps each shard. Default: ${DEFAULT-VALUE}")
    private int replication = 3;

    @Option(
            names = "--durability",
            paramLabel = "fsync|memory",
            defaultValue = "fsync",
            description = "What the acknowledgement of a write waits for: the disks of a majority, or only their "
                    + "memory. Default: ${DEFAULT-VALUE}")
    private Durability durability = Durability.FSYNC;

    @Option(
            names = "--storage",
            paramLabel = "off-heap|heap",
            defaultValue = "off-heap",
            description = "Where values are kept in memory. Default: ${DEFAULT-VALUE}")
    private StorageEngine storage = StorageEngine.OFF_HEAP;

    /**
     * The nodes to start, checked against each other.
     *
     * @throws ParameterException naming the options that contradict each other or a value that cannot be
     */
    List<NodeSettings> nodes() {
        String forRedis = redisHost != null ? redisHost : host;
        String single = node;
        int count = single == null ? NODES : 1;
        if (single == null && !seeds.isEmpty()) {
            throw wrong("--seeds needs --node: without --node three nodes of their own start in this process");
        }
        checkPort("--port", port, 1, count);
        checkPort("--redis-port", redisPort, 0, count);
        if (host.equals(forRedis) && redisPort != 0 && Math.abs(port - redisPort) < count) {
            throw wrong("--port " + port + " and --redis-port " + redisPort + ": "
                    + (count == 1 ? "they must differ" : count + " nodes need " + count + " ports from each on"));
        }
        if (single != null) {
            return List.of(new NodeSettings(single, host, port, seeds, forRedis, redisPort, data));
        }
        List<String> members = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            members.add(address(host, port + i));
        }
        List<NodeSettings> nodes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String name = "n" + (i + 1);
            int nodeRedisPort = redisPort == 0 ? 0 : redisPort + i;
            Path directory = data == null ? null : data.resolve(name);
            nodes.add(new NodeSettings(name, host, port + i, members, forRedis, nodeRedisPort, directory));
        }
        return nodes;
    }

    /** A builder with what all nodes have in common. */
    Elastickv builder() {
        return Elastickv.builder()
                .shards(shards)
                .replicationFactor(replication)
                .durability(durability)
                .storage(storage);
    }

    @Nullable
    String password() {
        return password;
    }

    /** {@code host:port}, with an IPv6 address in brackets. */
    static String address(String host, int port) {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }

    private void checkPort(String option, int value, int least, int count) {
        int most = MAX_PORT - count + 1;
        if (value < least || value > most) {
            throw wrong(option + " " + value + ": must be within " + least + "-" + most);
        }
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
