package io.elastickv.redis;

import io.elastickv.api.ElastickvNode;
import io.elastickv.redis.fake.FakeCluster;
import org.junit.jupiter.api.AfterEach;

class RedisCommandsTest extends RedisCommandsContract {

    private final FakeCluster cluster = FakeCluster.single();

    @Override
    ElastickvNode node() {
        return cluster.node(0);
    }

    @AfterEach
    void closeCluster() {
        cluster.close();
    }
}
