package io.elastickv.embedded.internal.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a node notices of processes that are killed and stopped. */
@Timeout(90)
@Tag("process")
class PeerProcessTest {
    private static final int ECHO = 1;
    private List<PeerAddress> addresses;
    private TestNode node;
    private PeerProcess b;
    private PeerProcess c;

    private static ConditionFactory quickly() {
        return await().pollInterval(Duration.ofMillis(5)).atMost(Duration.ofSeconds(20));
    }

    @BeforeEach
    void start() throws Exception {
        addresses = TestNode.addresses(3);
        node = TestNode.started(TestNode.config("a", addresses.get(0), addresses)
                .maxOutboxBytesPerPeer(34 << 20)
                .build());
        b = PeerProcess.start("b", addresses.get(1), addresses);
        c = PeerProcess.start("c", addresses.get(2), addresses);
        quickly().until(() -> node.channel.isConnected("b") && node.channel.isConnected("c"));
        quickly().until(() -> node.channel.view().equals(Set.of("a", "b", "c")));
    }

    @AfterEach
    void close() throws Exception {
        node.close();
        b.close();
        c.close();
    }

    private static long millisSince(long start) {
        return (System.nanoTime() - start) / 1_000_000;
    }

    @Test
    void aKilledProcessIsNoticedAtOnceAndItsRestartToo() throws Exception {
        long start = System.nanoTime();
        b.process.destroyForcibly();
        quickly().until(() -> !node.channel.isConnected("b"));
        long unreachable = millisSince(start);
        quickly().until(() -> node.channel.view().equals(Set.of("a", "c")));
        long view = millisSince(start);
        System.out.printf("SIGKILL: unreachable after %d ms, out of the view after %d ms%n", unreachable, view);
        assertThat(unreachable).isLessThan(900); // before the silence would have told
        assertThat(node.reachability).contains("-b").doesNotContain("-c");
        start = System.nanoTime();
        b = PeerProcess.start("b", addresses.get(1), addresses);
        quickly().until(() -> node.channel.isConnected("b"));
        quickly().until(() -> node.channel.view().equals(Set.of("a", "b", "c")));
        System.out.printf("restart: in the view after %d ms (with the JVM's start)%n", millisSince(start));
        assertThat(node.call("b", ECHO, new byte[] {3})).isEqualTo(new byte[] {3});
    }

    @Test
    void aStoppedProcessHoldsNobodyElseUp() throws Exception {
        long start = System.nanoTime();
        b.signal("STOP");
        CompletableFuture<byte[]> waiting = node.callAsync("b", ECHO, new byte[10], TimeUnit.SECONDS.toNanos(30));
        // More than sockets and outbox hold: what does not fit is dropped, and no call here blocks.
        long slowest = 0;
        byte[] payload = new byte[20_000];
        for (int i = 0; i < 4_000; i++) {
            long before = System.nanoTime();
            node.channel.sendGroup("b", 1, EncodedMessage.of(payload));
            node.channel.flush();
            slowest = Math.max(slowest, System.nanoTime() - before);
        }
        assertThat(node.channel.stats().messagesDropped()).isPositive();
        assertThat(node.channel.outboxBytes("b")).isLessThanOrEqualTo(35 << 20);
        assertThat(TimeUnit.NANOSECONDS.toMillis(slowest)).isLessThan(500);
        long slowestCall = 0;
        for (int i = 0; i < 200; i++) {
            long before = System.nanoTime();
            assertThat(node.call("c", ECHO, new byte[] {1})).hasSize(1);
            slowestCall = Math.max(slowestCall, System.nanoTime() - before);
        }
        quickly().until(() -> !node.channel.isConnected("b"));
        long unreachable = millisSince(start);
        assertThat(waiting).failsWithin(Duration.ofSeconds(5));
        quickly().until(() -> node.channel.view().equals(Set.of("a", "c")));
        System.out.printf(
                "SIGSTOP: unreachable after %d ms, out of the view after %d ms; slowest send to it %d ms, slowest call to"
                        + " another %d ms%n",
                unreachable, millisSince(start), slowest / 1_000_000, slowestCall / 1_000_000);
        assertThat(node.reachability).doesNotContain("-c");
        // Longer than the time after which its connection is replaced.
        await().pollDelay(Duration.ofSeconds(4)).until(() -> true);
        assertThat(node.call("c", ECHO, new byte[] {1})).hasSize(1);
        start = System.nanoTime();
        b.signal("CONT");
        quickly().until(() -> node.channel.isConnected("b"));
        System.out.printf("SIGCONT: reachable after %d ms%n", millisSince(start));
        quickly()
                .untilAsserted(() -> assertThat(node.callAsync("b", ECHO, new byte[] {5}, 1_000_000_000L)
                                .get(5, TimeUnit.SECONDS))
                        .isEqualTo(new byte[] {5}));
        quickly().until(() -> node.channel.view().equals(Set.of("a", "b", "c")));
        System.out.printf("SIGCONT: in the view after %d ms%n", millisSince(start));
        assertThat(node.reachability).doesNotContain("-c");
    }

    @Test
    void aNodeClosesQuicklyThoughAPeerHasStoppedReading() throws Exception {
        b.signal("STOP");
        for (int i = 0; i < 500; i++) {
            node.channel.sendGroup("b", 1, EncodedMessage.of(new byte[20_000]));
        }
        node.channel.flush();
        long start = System.nanoTime();
        node.close();
        assertThat(millisSince(start)).isLessThan(4_000);
    }
}
