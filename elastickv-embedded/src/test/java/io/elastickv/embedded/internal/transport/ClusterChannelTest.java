package io.elastickv.embedded.internal.transport;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jgroups.stack.IpAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ClusterChannelTest {
    private static final int ECHO = 1;
    private final List<TestNode> nodes = new ArrayList<>();
    private final PartitionableNetwork network = new PartitionableNetwork();

    @AfterEach
    void closeAll() {
        for (TestNode node : nodes) {
            node.close();
        }
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(networkThreads()).isEmpty());
    }

    private static List<String> networkThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("elastickv-") && name.contains("-net-"))
                .sorted()
                .toList();
    }

    private TestNode start(ChannelConfig.Builder config) throws TransportException {
        TestNode node = new TestNode(config.linkFilter(network).build());
        nodes.add(node);
        node.channel.rpc().register(ECHO, (from, payload, responder) -> {
            byte[] bytes = new byte[payload.remaining()];
            payload.get(bytes);
            responder.reply(bytes);
        });
        node.channel.start();
        return node;
    }

    private List<TestNode> startCluster(int count) throws Exception {
        List<PeerAddress> addresses = TestNode.addresses(count);
        List<Thread> starters = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ChannelConfig.Builder config = TestNode.config("n" + (i + 1), addresses.get(i), addresses);
            TestNode node = new TestNode(config.linkFilter(network).build());
            node.channel.rpc().register(ECHO, (from, payload, responder) -> {
                byte[] bytes = new byte[payload.remaining()];
                payload.get(bytes);
                responder.reply(bytes);
            });
            nodes.add(node);
            Thread starter = new Thread(() -> {
                try {
                    node.channel.start();
                } catch (TransportException e) {
                    throw new IllegalStateException(e);
                }
            });
            starter.start();
            starters.add(starter);
        }
        for (Thread starter : starters) {
            starter.join();
        }
        awaitConnected(nodes);
        return nodes;
    }

    private static void awaitConnected(List<TestNode> all) {
        await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> {
            for (TestNode one : all) {
                for (TestNode other : all) {
                    assertThat(one.channel.isConnected(other.name))
                            .as(one.name + " to " + other.name)
                            .isTrue();
                }
            }
        });
    }

    private static RpcFailure failureOf(CompletableFuture<byte[]> call) {
        try {
            call.get(20, TimeUnit.SECONDS);
            throw new AssertionError("the call was answered");
        } catch (ExecutionException e) {
            return ((TestNode.CallFailed) e.getCause()).failure;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static long seconds(int seconds) {
        return TimeUnit.SECONDS.toNanos(seconds);
    }

    @Test
    void threeNodesStartedAtOnceReachOneAnotherAndShareAView() throws Exception {
        long start = System.nanoTime();
        startCluster(3);
        long connected = System.nanoTime();
        await().atMost(Duration.ofSeconds(15)).untilAsserted(() -> {
            for (TestNode node : nodes) {
                assertThat(node.channel.view()).isEqualTo(Set.of("n1", "n2", "n3"));
            }
        });
        System.out.printf(
                "connected after %d ms, one view after %d ms%n",
                (connected - start) / 1_000_000, (System.nanoTime() - start) / 1_000_000);
        assertThat(nodes.get(0).call("n2", ECHO, "hello".getBytes(UTF_8))).isEqualTo("hello".getBytes(UTF_8));
        assertThat(nodes.get(0).call("n1", ECHO, "self".getBytes(UTF_8))).isEqualTo("self".getBytes(UTF_8));
    }

    @Test
    void groupMessagesArriveWithSenderAndGroup() throws Exception {
        startCluster(2);
        TestNode one = nodes.get(0);
        for (int i = 0; i < 5; i++) {
            one.channel.sendGroup("n2", 100 + i, EncodedMessage.of(("m" + i).getBytes(UTF_8)));
        }
        one.channel.flush();
        await().untilAsserted(() -> assertThat(nodes.get(1).groupMessages)
                .contains("n1/100/m0", "n1/101/m1", "n1/102/m2", "n1/103/m3", "n1/104/m4"));
    }

    @Test
    void whatWaitsForOnePeerLeavesTogether() throws Exception {
        startCluster(2);
        TestNode one = nodes.get(0);
        long before = one.channel.stats().framesSent();
        for (int i = 0; i < 300; i++) {
            one.channel.sendGroup("n2", i, EncodedMessage.of(new byte[100]));
        }
        one.channel.flush();
        await().untilAsserted(() -> assertThat(nodes.get(1).groupCount.get()).isEqualTo(300));
        assertThat(one.channel.stats().framesSent() - before).isLessThan(20);
    }

    @Test
    void aMessageOfSeventeenMegabytesPassesAndSmallOnesOvertakeIt() throws Exception {
        startCluster(2);
        byte[] large = new byte[17 << 20];
        new Random(1).nextBytes(large);
        List<Long> order = new java.util.concurrent.CopyOnWriteArrayList<>();
        nodes.get(1).hook = (from, group, payload) -> {
            if (payload.remaining() == large.length) {
                byte[] got = new byte[large.length];
                payload.get(got);
                order.add(Arrays.equals(got, large) ? 1L : -1L);
            } else {
                order.add(2L);
            }
        };
        nodes.get(0).channel.sendGroup("n2", 1, EncodedMessage.of(large));
        nodes.get(0).channel.sendGroup("n2", 2, EncodedMessage.of(new byte[10]));
        nodes.get(0).channel.flush();
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(order).containsExactly(2L, 1L));
        assertThat(nodes.get(0).call("n2", ECHO, large)).isEqualTo(large);
        assertThat(nodes.get(0).channel.outboxBytes("n2")).isLessThan(1000);
    }

    @Test
    void aCallToAnUnknownPeerWasNotSent() throws Exception {
        startCluster(1);
        assertThat(failureOf(nodes.get(0).callAsync("nobody", ECHO, new byte[1], seconds(5))))
                .isEqualTo(RpcFailure.NOT_SENT);
    }

    @Test
    void aCallOfAnUnknownMethodWasNotSent() throws Exception {
        startCluster(2);
        assertThat(failureOf(nodes.get(0).callAsync("n2", 77, new byte[1], seconds(5))))
                .isEqualTo(RpcFailure.NOT_SENT);
    }

    @Test
    void aCallThatNobodyAnswersEndsAtItsTimeout() throws Exception {
        startCluster(2);
        nodes.get(1).channel.rpc().register(2, (from, payload, responder) -> {});
        long start = System.nanoTime();
        assertThat(failureOf(nodes.get(0).callAsync("n2", 2, new byte[1], TimeUnit.MILLISECONDS.toNanos(60))))
                .isEqualTo(RpcFailure.NO_ANSWER);
        assertThat(System.nanoTime() - start).isBetween(seconds(1) * 6 / 100, seconds(2));
        assertThat(nodes.get(0).channel.rpc().pendingCalls()).isZero();
    }

    @Test
    void aPeerThatClosesIsUnreachableAtOnceAndItsCallsEnd() throws Exception {
        startCluster(2);
        nodes.get(1).channel.rpc().register(2, (from, payload, responder) -> {});
        CompletableFuture<byte[]> call = nodes.get(0).callAsync("n2", 2, new byte[1], seconds(30));
        await().untilAsserted(() ->
                assertThat(nodes.get(0).channel.rpc().pendingCalls()).isOne());
        long start = System.nanoTime();
        nodes.get(1).close();
        assertThat(failureOf(call)).isEqualTo(RpcFailure.NO_ANSWER);
        await().untilAsserted(() -> assertThat(nodes.get(0).reachability).containsExactly("+n2", "-n2"));
        assertThat(System.nanoTime() - start).isLessThan(seconds(5));
        assertThat(failureOf(nodes.get(0).callAsync("n2", ECHO, new byte[1], seconds(5))))
                .isEqualTo(RpcFailure.NOT_SENT);
    }

    @Test
    void aRestartedPeerIsUnreachableThenReachableAndRejoins() throws Exception {
        List<PeerAddress> addresses = TestNode.addresses(2);
        TestNode one = start(TestNode.config("n1", addresses.get(0), addresses));
        TestNode two = start(TestNode.config("n2", addresses.get(1), addresses));
        awaitConnected(nodes);
        two.close();
        TestNode again = start(TestNode.config("n2", addresses.get(1), addresses));
        await().untilAsserted(() -> assertThat(one.reachability).containsExactly("+n2", "-n2", "+n2"));
        assertThat(one.call("n2", ECHO, new byte[] {1})).isEqualTo(new byte[] {1});
        await().atMost(Duration.ofSeconds(15)).untilAsserted(() -> {
            assertThat(one.channel.view()).isEqualTo(Set.of("n1", "n2"));
            assertThat(again.channel.view()).isEqualTo(Set.of("n1", "n2"));
        });
    }

    @Test
    void aPartitionedPeerBecomesUnreachableAndReturns() throws Exception {
        startCluster(3);
        network.partition("n3");
        await().untilAsserted(() -> {
            assertThat(nodes.get(0).channel.isConnected("n3")).isFalse();
            assertThat(nodes.get(2).channel.isConnected("n1")).isFalse();
        });
        assertThat(nodes.get(0).channel.isConnected("n2")).isTrue();
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(nodes.get(0).channel.view()).isEqualTo(Set.of("n1", "n2")));
        network.heal();
        long start = System.nanoTime();
        awaitConnected(nodes);
        assertThat(System.nanoTime() - start).isLessThan(seconds(2));
        assertThat(nodes.get(2).call("n1", ECHO, new byte[] {1})).isEqualTo(new byte[] {1});
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(nodes.get(2).channel.view()).isEqualTo(Set.of("n1", "n2", "n3")));
    }

    @Test
    void aStoragelessMemberCallsByAddressAndByName() throws Exception {
        startCluster(2);
        PeerAddress seed = nodes.get(0).channel.localAddress();
        TestNode client = start(TestNode.config("c1", new PeerAddress("127.0.0.1", 0), List.of(seed))
                .storageless(true));
        TestNode.FutureCallback byAddress = new TestNode.FutureCallback();
        client.channel.rpc().call(seed, ECHO, "a".getBytes(UTF_8), seconds(5), byAddress);
        assertThat(byAddress.future.get(10, TimeUnit.SECONDS)).isEqualTo("a".getBytes(UTF_8));
        await().untilAsserted(() -> assertThat(client.channel.isConnected("n1")).isTrue());
        await().untilAsserted(() ->
                assertThat(nodes.get(0).channel.isStorageless("c1")).isTrue());
        assertThat(nodes.get(0).call("c1", ECHO, new byte[] {7})).isEqualTo(new byte[] {7});
        assertThat(client.channel.localAddress().port()).isPositive();
    }

    @Test
    void aPortInUseIsNamed() throws Exception {
        startCluster(1);
        PeerAddress taken = nodes.get(0).channel.localAddress();
        TestNode other = new TestNode(TestNode.config("n9", taken, List.of()).build());
        assertThatThrownBy(other.channel::start)
                .isInstanceOf(TransportException.class)
                .hasMessageContaining(taken.toString())
                .hasMessageContaining("in use");
        other.close();
    }

    @Test
    void aStartWithDeadSeedsIsQuick() throws Exception {
        List<PeerAddress> addresses = TestNode.addresses(3);
        long start = System.nanoTime();
        start(TestNode.config("n1", addresses.get(0), addresses));
        assertThat(System.nanoTime() - start).isLessThan(seconds(3));
    }

    @Test
    void framesOfAnotherClusterAreDropped() throws Exception {
        startCluster(2);
        byte[] a = new byte[16];
        a[0] = 1;
        byte[] b = new byte[16];
        b[0] = 2;
        nodes.get(0).channel.setClusterId(a);
        assertThat(nodes.get(0).call("n2", ECHO, new byte[1])).hasSize(1);
        nodes.get(1).channel.setClusterId(b);
        assertThat(failureOf(nodes.get(0).callAsync("n2", ECHO, new byte[1], seconds(1))))
                .isEqualTo(RpcFailure.NO_ANSWER);
        assertThat(nodes.get(1).channel.stats().framesOfStrangers()).isPositive();
        await().untilAsserted(
                        () -> assertThat(nodes.get(0).channel.isConnected("n2")).isFalse());
    }

    @Test
    void aOneWayCutSilencesOneSideOnly() throws Exception {
        startCluster(2);
        network.dropOneWay("n1", "n2");
        await().untilAsserted(
                        () -> assertThat(nodes.get(1).channel.isConnected("n1")).isFalse());
        assertThat(nodes.get(0).channel.isConnected("n2")).isTrue();
        assertThat(failureOf(nodes.get(0).callAsync("n2", ECHO, new byte[1], seconds(1) / 2)))
                .isEqualTo(RpcFailure.NO_ANSWER);
        network.heal();
        awaitConnected(nodes);
        assertThat(nodes.get(0).call("n2", ECHO, new byte[1])).hasSize(1);
    }

    @Test
    void whatWasMeantForTheNodeThatHadTheAddressBeforeIsNotTaken() throws Exception {
        List<PeerAddress> addresses = TestNode.addresses(2);
        TestNode one = start(TestNode.config("n1", addresses.get(0), addresses));
        TestNode two = start(TestNode.config("n2", addresses.get(1), addresses));
        awaitConnected(nodes);
        network.drop("n1", "n2"); // no goodbye is heard
        two.close();
        TestNode other = start(TestNode.config("n3", addresses.get(1), List.of()));
        one.channel.sendGroup("n2", 1, EncodedMessage.of(new byte[10]));
        one.channel.flush();
        CompletableFuture<byte[]> call = one.callAsync("n2", ECHO, new byte[1], seconds(2));
        network.heal();
        assertThat(call).failsWithin(Duration.ofSeconds(5));
        await().untilAsserted(() -> assertThat(one.channel.isConnected("n3")).isTrue());
        assertThat(one.channel.isConnected("n2")).isFalse();
        assertThat(one.call("n3", ECHO, new byte[] {1})).hasSize(1);
        assertThat(other.groupCount.get()).isZero();
    }

    @Test
    void everyCallEndsOnceWhateverTheNetworkDoes() throws Exception {
        startCluster(3);
        long seed = System.nanoTime();
        Random random = new Random(seed);
        AtomicInteger ended = new AtomicInteger();
        AtomicInteger twice = new AtomicInteger();
        AtomicInteger answered = new AtomicInteger();
        int calls = 0;
        long end = System.nanoTime() + seconds(5);
        while (System.nanoTime() < end) {
            switch (random.nextInt(40)) {
                case 0 -> network.partition("n" + (1 + random.nextInt(3)));
                case 1 -> network.dropOneWay("n" + (1 + random.nextInt(3)), "n" + (1 + random.nextInt(3)));
                case 2, 3, 4 -> network.heal();
                case 5 -> nodes.get(random.nextInt(3)).channel.transport().clearConnections(false);
                default -> {}
            }
            for (int i = 0; i < 20; i++) {
                int from = random.nextInt(3);
                byte[] payload = new byte[random.nextInt(50) == 0 ? 300_000 : random.nextInt(300)];
                AtomicInteger mine = new AtomicInteger();
                nodes.get(from)
                        .channel
                        .rpc()
                        .call("n" + (1 + random.nextInt(3)), ECHO, payload, seconds(1) / 4, new RpcCallback() {
                            @Override
                            public void success(java.nio.ByteBuffer answer) {
                                answered.incrementAndGet();
                                over();
                            }

                            @Override
                            public void failure(RpcFailure failure) {
                                over();
                            }

                            private void over() {
                                ended.incrementAndGet();
                                if (mine.incrementAndGet() > 1) {
                                    twice.incrementAndGet();
                                }
                            }
                        });
                calls++;
            }
            java.util.concurrent.locks.LockSupport.parkNanos(5_000_000);
        }
        network.heal();
        int made = calls;
        await().untilAsserted(() -> assertThat(ended.get()).as("seed %d", seed).isEqualTo(made));
        assertThat(twice.get()).isZero();
        assertThat(answered.get()).isPositive();
        for (TestNode node : nodes) {
            assertThat(node.channel.rpc().pendingCalls()).isZero();
            assertThat(node.channel.stats().callbackFailures()).isZero();
        }
        awaitConnected(nodes);
        assertThat(nodes.get(0).call("n2", ECHO, new byte[1])).hasSize(1);
    }

    @Test
    void mutatedFramesAreDroppedAndStopNothing() throws Exception {
        startCluster(2);
        long seed = System.nanoTime();
        Random random = new Random(seed);
        TestNode one = nodes.get(0);
        IpAddress stranger = new IpAddress("127.0.0.1", 1);
        java.nio.ByteBuffer out = java.nio.ByteBuffer.allocate(2000);
        out.put(Frames.encodeHeader(new byte[16], Frames.nameBytes("stranger"), 5, true));
        Frames.putGroup(out, 7, EncodedMessage.of(new byte[40]), 40);
        Frames.putRequest(out, 9, ECHO, EncodedMessage.of(new byte[50]), 50);
        Frames.putResponse(out, 9, 5, Frames.STATUS_OK, EncodedMessage.of(new byte[60]), 60);
        out.put(Frames.PONG).putLong(2);
        out.put(Frames.CHUNK).putInt(1).putInt(1000).putInt(0).putInt(100).put(new byte[100]);
        byte[] original = Arrays.copyOf(out.array(), out.position());
        for (int round = 0; round < 50_000; round++) {
            byte[] frame = original.clone();
            for (int i = random.nextInt(4); i >= 0; i--) {
                frame[2 + random.nextInt(frame.length - 2)] = (byte) random.nextInt();
            }
            // Throws if anything does.
            one.channel
                    .transport()
                    .receive(
                            stranger,
                            frame,
                            0,
                            random.nextInt(8) == 0 ? 2 + random.nextInt(frame.length - 2) : frame.length);
        }
        assertThat(one.channel.stats().framesMalformed()).as("seed %d", seed).isPositive();
        assertThat(one.channel.stats().callbackFailures()).as("seed %d", seed).isZero();
        assertThat(one.call("n2", ECHO, new byte[] {1})).hasSize(1);
    }

    @Test
    void anAnswerForAnEarlierLifeEndsNoCall() throws Exception {
        startCluster(2);
        nodes.get(1).channel.rpc().register(2, (from, payload, responder) -> {});
        CompletableFuture<byte[]> call = nodes.get(0).callAsync("n2", 2, new byte[1], seconds(1));
        java.nio.ByteBuffer out = java.nio.ByteBuffer.allocate(2000);
        long peer = nodes.get(0).channel.incarnationOf("n2");
        out.put(Frames.encodeHeader(new byte[16], Frames.nameBytes("n2"), peer, false));
        for (long id = 0; id < 10; id++) {
            Frames.putResponse(out, id, 12345, Frames.STATUS_OK, EncodedMessage.of(new byte[1]), 1);
        }
        PeerAddress at = nodes.get(1).channel.localAddress();
        nodes.get(0).channel.transport().receive(new IpAddress(at.host(), at.port()), out.array(), 0, out.position());
        assertThat(failureOf(call)).isEqualTo(RpcFailure.NO_ANSWER);
    }

    @Test
    void callsFromManyThreadsAreAnsweredOnceEach() throws Exception {
        startCluster(2);
        AtomicInteger answered = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            int from = t % 2;
            Thread thread = new Thread(() -> {
                Random random = new Random(from);
                for (int i = 0; i < 500; i++) {
                    byte[] payload = new byte[random.nextInt(200) == 0 ? 200_000 : random.nextInt(2000)];
                    random.nextBytes(payload);
                    try {
                        byte[] answer = nodes.get(from).call(from == 0 ? "n2" : "n1", ECHO, payload);
                        if (Arrays.equals(answer, payload)) {
                            answered.incrementAndGet();
                        }
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(answered.get()).isEqualTo(2000);
    }
}
