package io.elastickv.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.ElastickvNode;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every recorded command, byte for byte. Point it at a cluster by saying which node. */
abstract class RedisCommandsContract {

    private RedisAdapter adapter;

    /** The node to put the adapter on; whoever gives it closes it. */
    abstract ElastickvNode node();

    @BeforeEach
    void startAdapter() {
        adapter = RedisAdapter.builder(node()).bind("127.0.0.1", 0).start();
    }

    @AfterEach
    void stopAdapter() {
        adapter.close();
    }

    @TestFactory
    Stream<DynamicTest> repliesAreThoseOfRedis() throws IOException {
        return RecordedReplies.blocks().stream()
                .map(block -> DynamicTest.dynamicTest(block.name(), () -> check(block)));
    }

    private void check(RecordedReplies.Block block) throws IOException {
        try (RawClient client = new RawClient(adapter.address())) {
            assertThat(client.inline("FLUSHALL")).isEqualTo("+OK\r\n");
            for (RecordedReplies.Exchange exchange : block.exchanges()) {
                assertThat(exchange.comparable(client.inline(exchange.command())))
                        .as(exchange.command())
                        .isEqualTo(exchange.reply());
            }
        }
    }
}
