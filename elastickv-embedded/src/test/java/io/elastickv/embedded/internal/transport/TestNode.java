package io.elastickv.embedded.internal.transport;

import io.elastickv.embedded.FreePorts;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A channel with a listener that remembers what it heard. */
final class TestNode implements ClusterListener, AutoCloseable {
    private static final AtomicLong INCARNATIONS = new AtomicLong(System.currentTimeMillis());

    final ClusterChannel channel;
    final String name;
    final Queue<String> groupMessages = new ConcurrentLinkedQueue<>();
    final Queue<String> reachability = new ConcurrentLinkedQueue<>();
    final Queue<String> views = new ConcurrentLinkedQueue<>();
    final AtomicLong groupCount = new AtomicLong();
    volatile GroupHook hook = (from, group, payload) -> {};

    interface GroupHook {
        void message(String from, int group, ByteBuffer payload);
    }

    TestNode(ChannelConfig config) {
        this.name = config.nodeName();
        this.channel = new ClusterChannel(config, this);
    }

    static TestNode started(ChannelConfig config) throws TransportException {
        TestNode node = new TestNode(config);
        node.channel.start();
        return node;
    }

    static ChannelConfig.Builder config(String name, PeerAddress address, List<PeerAddress> seeds) {
        return ChannelConfig.builder("test", name, address, INCARNATIONS.incrementAndGet())
                .seeds(seeds);
    }

    /** Free ports of the loopback interface. */
    static List<PeerAddress> addresses(int count) {
        return FreePorts.choose(count).stream()
                .map(port -> new PeerAddress("127.0.0.1", port))
                .toList();
    }

    byte[] call(String peer, int method, byte[] payload) throws Exception {
        return callAsync(peer, method, payload, TimeUnit.SECONDS.toNanos(10)).get(15, TimeUnit.SECONDS);
    }

    /** Fails with {@link CallFailed}. */
    CompletableFuture<byte[]> callAsync(String peer, int method, byte[] payload, long timeoutNanos) {
        FutureCallback callback = new FutureCallback();
        channel.rpc().call(peer, method, payload, timeoutNanos, callback);
        return callback.future;
    }

    static final class CallFailed extends Exception {
        private static final long serialVersionUID = 1L;
        final RpcFailure failure;

        CallFailed(RpcFailure failure) {
            super(failure.name());
            this.failure = failure;
        }
    }

    static final class FutureCallback implements RpcCallback {
        final CompletableFuture<byte[]> future = new CompletableFuture<>();

        @Override
        public void success(ByteBuffer answer) {
            byte[] bytes = new byte[answer.remaining()];
            answer.get(bytes);
            if (!future.complete(bytes)) {
                throw new AssertionError("a call ended twice");
            }
        }

        @Override
        public void failure(RpcFailure failure) {
            if (!future.completeExceptionally(new CallFailed(failure))) {
                throw new AssertionError("a call ended twice");
            }
        }
    }

    @Override
    public void groupMessage(String from, int groupId, ByteBuffer payload) {
        groupCount.incrementAndGet();
        hook.message(from, groupId, payload);
        if (payload.remaining() < 100) {
            byte[] bytes = new byte[payload.remaining()];
            payload.get(bytes);
            groupMessages.add(from + "/" + groupId + "/" + new String(bytes, java.nio.charset.StandardCharsets.UTF_8));
        }
    }

    @Override
    public void viewChanged(Set<String> joined, Set<String> left, Set<String> members) {
        views.add("+" + joined + " -" + left);
    }

    @Override
    public void peerReachable(String peer, boolean reachable) {
        reachability.add((reachable ? "+" : "-") + peer);
    }

    @Override
    public void close() {
        channel.close();
    }
}
