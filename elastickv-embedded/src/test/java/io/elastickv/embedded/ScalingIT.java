package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.NodeProvisioner;
import io.elastickv.api.ScalingPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The cluster asks the application for nodes when it has much to do, and lets them go when it has not. */
final class ScalingIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path directory;

    private final Map<String, ElastickvNode> nodes = new ConcurrentHashMap<>();
    private final AtomicInteger names = new AtomicInteger(1);
    private final List<Integer> ports = FreePorts.choose(4);

    private final NodeProvisioner provisioner = new NodeProvisioner() {
        @Override
        public void addNodes(int count, String reason) {
            for (int i = 0; i < count; i++) {
                start(names.incrementAndGet());
            }
        }

        @Override
        public void nodeReleased(String node) {
            ElastickvNode released = nodes.remove(node);
            if (released != null) {
                released.close();
            }
        }
    };

    private void start(int number) {
        String name = "n" + number;
        Elastickv builder = Elastickv.builder()
                .name(name)
                .address("127.0.0.1", ports.get(number - 1))
                .storage(StorageEngine.HEAP)
                .replicationFactor(1)
                .shards(4)
                .electionTimeout(Duration.ofMillis(500))
                .dataDirectory(directory.resolve(name))
                .scaling(
                        new ScalingPolicy(
                                100, 0.6, 1, 3, Duration.ofSeconds(2), Duration.ofSeconds(2), Duration.ofSeconds(4)),
                        provisioner);
        if (number > 1) {
            builder.join("127.0.0.1:" + ports.get(0));
        }
        nodes.put(name, builder.start());
    }

    @Test
    void nodesComeWithTheLoadAndGoWithIt() throws Exception {
        start(1);
        ElastickvNode first = nodes.get("n1");
        AtomicBoolean busy = new AtomicBoolean(true);
        AtomicInteger written = new AtomicInteger();
        Thread load = new Thread(() -> {
            while (busy.get()) {
                first.store().put(Bytes.utf8("k" + written.get() % 500), Bytes.utf8("v" + written.get()));
                written.incrementAndGet();
            }
        });
        load.start();
        try {
            Awaitility.await("three nodes")
                    .atMost(PATIENCE)
                    .until(() -> nodes.size() == 3 && first.cluster().nodes().size() == 3);
        } finally {
            busy.set(false);
            load.join();
        }
        Awaitility.await("one node").atMost(PATIENCE).until(() -> nodes.size() == 1);
        assertThat(nodes).containsOnlyKeys("n1");
        int last = written.get() - 1;
        assertThat(last).isGreaterThan(500);
        for (int i = last - 499; i <= last; i++) {
            assertThat(first.store().get(Bytes.utf8("k" + i % 500)))
                    .as("key %d", i % 500)
                    .hasValueSatisfying(
                            value -> assertThat(value.value().toUtf8()).startsWith("v"));
        }
        nodes.values().forEach(ElastickvNode::close);
    }
}
