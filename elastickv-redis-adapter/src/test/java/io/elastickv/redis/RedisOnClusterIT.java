package io.elastickv.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.ElastickvNode;
import io.elastickv.embedded.LocalCluster;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The recorded commands, and sessions over several nodes, on a cluster of three real nodes. */
@Timeout(180)
class RedisOnClusterIT extends RedisCommandsContract {

    private static LocalCluster cluster;

    @BeforeAll
    static void startCluster() {
        cluster = LocalCluster.builder().nodes(3).shards(4).startAndAwaitReady();
    }

    @AfterAll
    static void closeCluster() {
        cluster.close();
    }

    @Override
    ElastickvNode node() {
        return cluster.node(1);
    }

    @Test
    void whatOneNodeWritesAllNodesRead() throws IOException {
        List<RedisAdapter> adapters = new ArrayList<>();
        List<RawClient> clients = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                adapters.add(RedisAdapter.builder(cluster.node(i))
                        .bind("127.0.0.1", 0)
                        .start());
                clients.add(new RawClient(adapters.get(i).address()));
            }
            assertThat(clients.get(0).command("FLUSHALL")).isEqualTo("+OK\r\n");
            for (int i = 0; i < 200; i++) {
                assertThat(clients.get(i % 3).command("SET", "k" + i, "v" + i)).isEqualTo("+OK\r\n");
                assertThat(clients.get((i + 1) % 3).command("GET", "k" + i)).endsWith("\r\nv" + i + "\r\n");
            }
            assertThat(clients.get(2).command("DBSIZE")).isEqualTo(":200\r\n");
            assertThat(clients.get(0).command("CLUSTER", "INFO")).contains("cluster_state:ok");
            assertThat(clients.get(0).command("WAIT", "1", "0")).isEqualTo(":1\r\n");
            clients.get(1).send(RawClient.array("INCR", "n").repeat(1000));
            for (int i = 1; i <= 1000; i++) {
                assertThat(clients.get(1).reply()).isEqualTo(":" + i + "\r\n");
            }
        } finally {
            for (RawClient client : clients) {
                client.close();
            }
            adapters.forEach(RedisAdapter::close);
        }
    }
}
