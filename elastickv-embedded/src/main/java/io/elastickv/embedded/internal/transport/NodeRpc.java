package io.elastickv.embedded.internal.transport;

import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls between nodes. Thread-safe; no method blocks (but see {@link #call(PeerAddress, int, EncodedMessage, long,
 * RpcCallback)}).
 *
 * <p>A call is sent at most once: never again after a lost connection. Calls may overtake one another. Calls to the own
 * node work and take the same way, without the socket. Calls and answers share the frames of the group messages. They
 * leave at once, or with the thread's next {@link ClusterChannel#flush()} if it asked for that with {@link
 * ClusterChannel#batchSendsOfThisThread()}.
 */
public final class NodeRpc {
    private static final Logger log = LoggerFactory.getLogger(NodeRpc.class);
    private static final EncodedMessage NOTHING = EncodedMessage.of(new byte[0]);

    private final ClusterChannel channel;
    private final ConcurrentHashMap<Integer, RpcHandler> handlers = new ConcurrentHashMap<>();

    NodeRpc(ClusterChannel channel) {
        this.channel = channel;
    }

    /** Answers calls of this method from now on, instead of a handler registered before. */
    public void register(int method, RpcHandler handler) {
        handlers.put(method, handler);
    }

    /** Stops answering calls of this method: their callers get {@link RpcFailure#NOT_SENT}. */
    public void unregister(int method) {
        handlers.remove(method);
    }

    /** As {@link #call(String, int, EncodedMessage, long, RpcCallback)}. */
    public void call(String peer, int method, byte[] payload, long timeoutNanos, RpcCallback callback) {
        call(peer, method, EncodedMessage.of(payload), timeoutNanos, callback);
    }

    /**
     * Calls a node by name. The payload is copied before this returns.
     *
     * @param timeoutNanos from now; the call ends at most some 10 ms later
     */
    public void call(String peer, int method, EncodedMessage payload, long timeoutNanos, RpcCallback callback) {
        call(channel.linkTo(peer), method, payload, timeoutNanos, callback);
    }

    /** As {@link #call(PeerAddress, int, EncodedMessage, long, RpcCallback)}. */
    public void call(PeerAddress address, int method, byte[] payload, long timeoutNanos, RpcCallback callback) {
        call(address, method, EncodedMessage.of(payload), timeoutNanos, callback);
    }

    /**
     * Calls whoever listens at an address, before names are known. Blocks while a host name that was not used before is
     * being resolved; IP addresses are not.
     */
    public void call(PeerAddress address, int method, EncodedMessage payload, long timeoutNanos, RpcCallback callback) {
        call(channel.linkTo(address), method, payload, timeoutNanos, callback);
    }

    private void call(
            @Nullable Link link, int method, EncodedMessage payload, long timeoutNanos, RpcCallback callback) {
        if (payload.size() > channel.config().maxMessageBytes()) {
            throw new IllegalArgumentException("a call of method " + method + " has " + payload.size()
                    + " bytes; the channel takes at most " + channel.config().maxMessageBytes());
        }
        if (link == null || !link.isOpen()) {
            channel.finishLater(callback, RpcFailure.NOT_SENT);
            return;
        }
        long now = channel.nanos();
        long deadline = now + Math.min(Math.max(timeoutNanos, 0), Long.MAX_VALUE / 2);
        PendingCalls.Call call = new PendingCalls.Call(callback, deadline);
        link.pending.add(call);
        boolean added;
        try {
            added = link.outbox.addRequest(call, method, payload);
        } catch (RuntimeException | Error e) {
            link.pending.remove(call.id);
            throw e;
        }
        if (!added) {
            if (link.pending.remove(call.id) != null) {
                channel.finishLater(callback, RpcFailure.NOT_SENT);
            }
            return;
        }
        channel.monitor().watch(deadline);
        channel.send(link);
        if (channel.isClosed()) {
            link.failAll(); // the close may have passed before the call was added
        }
    }

    /** The number of calls that wait for an answer. */
    public int pendingCalls() {
        return channel.pendingCalls();
    }

    // Reader threads.

    void request(Link link, String from, long id, int method, ByteBuffer payload) {
        Answer answer = new Answer(link, id, link.incarnation);
        RpcHandler handler = handlers.get(method);
        if (handler == null) {
            answer.send(Frames.STATUS_NO_HANDLER, NOTHING);
            return;
        }
        try {
            handler.handle(from, payload, answer);
        } catch (RuntimeException | Error e) {
            channel.counters().callbackFailures.increment();
            log.warn("{}: the handler of method {} failed on a call from {}", channel.nodeName(), method, from, e);
            answer.send(Frames.STATUS_FAILED, NOTHING);
        }
    }

    void response(Link link, long id, byte status, ByteBuffer payload) {
        PendingCalls.Call call = link.pending.remove(id);
        if (call == null) {
            return; // too late
        }
        if (status != Frames.STATUS_OK) {
            channel.finish(
                    call.callback, status == Frames.STATUS_NO_HANDLER ? RpcFailure.NOT_SENT : RpcFailure.NO_ANSWER);
            return;
        }
        try {
            call.callback.success(payload);
        } catch (RuntimeException | Error e) {
            channel.callbackFailed(e);
        }
    }

    private final class Answer extends AtomicBoolean implements Responder {
        private static final long serialVersionUID = 1L;
        private final transient Link link;
        private final long id;
        private final long incarnation;

        Answer(Link link, long id, long incarnation) {
            this.link = link;
            this.id = id;
            this.incarnation = incarnation;
        }

        @Override
        public void reply(byte[]... parts) {
            if (parts.length == 1) {
                send(Frames.STATUS_OK, EncodedMessage.of(parts[0]));
            } else {
                send(Frames.STATUS_OK, new Parts(parts));
            }
        }

        @Override
        public void reply(EncodedMessage answer) {
            send(Frames.STATUS_OK, answer);
        }

        void send(byte status, EncodedMessage m) {
            if (!compareAndSet(false, true)) {
                return;
            }
            if (m.size() > channel.config().maxMessageBytes()) {
                log.warn(
                        "{}: an answer to {} has {} bytes, more than the channel takes",
                        channel.nodeName(),
                        link,
                        m.size());
                link.outbox.addResponse(id, incarnation, Frames.STATUS_FAILED, NOTHING);
            } else if (link.incarnation != incarnation || !link.outbox.addResponse(id, incarnation, status, m)) {
                channel.counters().messagesDropped.increment();
                return;
            }
            channel.send(link);
        }
    }

    private static final class Parts implements EncodedMessage {
        private final byte[][] parts;

        Parts(byte[][] parts) {
            this.parts = parts;
        }

        @Override
        public int size() {
            int size = 0;
            for (byte[] part : parts) {
                size += part.length;
            }
            return size;
        }

        @Override
        public void writeTo(ByteBuffer out) {
            for (byte[] part : parts) {
                out.put(part);
            }
        }
    }
}
