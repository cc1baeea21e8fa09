package io.elastickv.embedded.internal.transport;

import io.elastickv.embedded.internal.transport.Outbox.OutFrame;
import io.elastickv.embedded.internal.transport.Outbox.Transfer;
import io.elastickv.embedded.internal.transport.PendingCalls.Call;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.ConnectException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jgroups.blocks.cs.Connection;
import org.jgroups.stack.IpAddress;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One peer: its outbox, the thread that empties it, the calls that wait for its answers, and what is known of it.
 *
 * <p>Only the sender thread connects and writes, so only it can block on the peer. It sleeps while there is nothing to
 * send; {@link #signal} wakes it, at most once per sleep.
 */
final class Link {
    private static final Logger log = LoggerFactory.getLogger(Link.class);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle PARKED;

    static {
        try {
            PARKED = MethodHandles.lookup().findVarHandle(Link.class, "parked", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    static final long NEVER = -1;

    final IpAddress address;
    final PeerAddress peerAddress;
    final boolean self;
    final Outbox outbox;
    final PendingCalls pending = new PendingCalls();
    final Assembly assembly;

    private final LinkContext context;
    private final Thread sender;

    private volatile boolean parked;
    private volatile boolean wanted;
    private volatile boolean stopped;

    /** The last frame (and all before it) that was handed to a connection. */
    private volatile long sentFrame;

    /** Until then nothing is sent: the last attempt to connect failed. */
    private volatile long closedUntilNanos;

    private volatile @Nullable Connection connection;
    private int nextTransferId;

    /** Whether the sender thread is inside a call that may block, for the monitor. */
    private volatile boolean sending;

    // What the peer says of itself. Written by LinkTable under its lock.
    volatile @Nullable String name;
    volatile byte[] nameBytes = new byte[0];
    volatile long incarnation = Long.MIN_VALUE;
    volatile boolean storageless;

    /** What outgoing frames name as their destination; 0 as long as nothing was heard. */
    volatile long token;

    /** The {@link #token} of the life that said goodbye: what still comes from it is no sign of life. */
    volatile long leftToken;

    // What we know of it.
    /** One of the configured seeds: pinged even if it is in no view. */
    volatile boolean seed;

    /** Told by the layers above, for the name that this link has: pinged likewise. */
    volatile boolean learned;

    volatile boolean inView;
    /** When the last frame came; {@link #NEVER} also if the peer is known to be gone. */
    volatile long heardNanos = NEVER;

    volatile long lastSendNanos = NEVER;
    volatile long createdNanos;
    volatile long reconnectedNanos;
    volatile boolean reachable;
    volatile long roundTripNanos = -1;

    Link(IpAddress address, boolean self, LinkContext context) {
        this.address = address;
        this.peerAddress = new PeerAddress(address.getIpAddress().getHostAddress(), address.getPort());
        this.self = self;
        this.context = context;
        this.outbox = new Outbox(context.headerBytes(), context.maxOutboxBytes());
        this.assembly = new Assembly(context.maxItemBytes());
        this.createdNanos = context.nanos();
        this.reconnectedNanos = createdNanos;
        this.sender = context.thread("send-" + peerAddress, this::run);
    }

    void start() {
        sender.start();
    }

    /** Stops the sender; what waits is dropped. Does not wait for it: see {@link #join}. */
    void stop() {
        stopped = true;
        LockSupport.unpark(sender);
    }

    void join(long millis) throws InterruptedException {
        sender.join(millis);
    }

    boolean isSending() {
        return sending;
    }

    /** Hands what waits to the sender thread. Cheap if it is awake. */
    void signal() {
        wanted = true;
        if (parked && PARKED.compareAndSet(this, true, false)) {
            LockSupport.unpark(sender);
        }
    }

    /** Whether sending makes sense now, or the last attempt to connect has only just failed. */
    boolean isOpen() {
        long until = closedUntilNanos;
        return until == 0 || context.nanos() >= until;
    }

    /** Whether everything that was added has been handed to the connection. */
    boolean isDrained() {
        return outbox.isEmpty() && !sending;
    }

    /** Sends a first frame, so that the peer learns who is here and answers who it is. */
    void greet() {
        outbox.addStamp(Frames.PING, context.nanos());
        signal();
    }

    private void run() {
        try {
            while (!stopped) {
                wanted = false;
                if (sendSome()) {
                    continue;
                }
                parked = true;
                if (!wanted && !stopped) {
                    LockSupport.park(this);
                }
                parked = false;
            }
        } catch (Throwable t) {
            // Only an error of the VM comes here. Without its sender the peer is simply unreachable.
            log.error("{}: the sender to {} ended", context.nodeName(), describe(), t);
        } finally {
            fail(outbox.dropAll(), false);
        }
    }

    /** Sends at most one of each kind. Returns whether there was anything. */
    private boolean sendSome() {
        byte[] jgroups = outbox.takeJGroups();
        OutFrame frame = outbox.takeFrame();
        Transfer transfer = outbox.peekTransfer();
        if (jgroups == null && frame == null && transfer == null) {
            return false;
        }
        if (!context.mayReach(this)) {
            // The filter plays a network that loses packets: they count as sent.
            if (frame != null) {
                sentFrame = frame.number;
                outbox.recycle(frame);
            }
            if (transfer != null) {
                endTransfer(transfer);
            }
            return true;
        }
        if (!isOpen()) {
            fail(outbox.dropAll(), true);
            return true;
        }
        sending = true;
        try {
            @Nullable Connection current;
            try {
                current = self ? null : context.tcp().connect(address);
            } catch (Exception e) {
                connectFailed(e);
                return true;
            }
            if (current != connection) {
                connection = current;
                if (transfer != null) {
                    transfer.offset = 0; // the chunks before may have been lost with the old connection
                }
            }
            closedUntilNanos = 0;
            try {
                while (jgroups != null) {
                    if (current != null) {
                        context.tcp().transmit(address, current, jgroups, jgroups.length);
                    }
                    jgroups = outbox.takeJGroups();
                }
                if (frame != null) {
                    sentFrame = frame.number; // before the attempt: if it fails, nobody knows what arrived
                    transmit(current, frame.bytes(), frame.buffer.limit());
                    outbox.recycle(frame);
                }
                if (transfer != null) {
                    sendChunk(current, transfer);
                }
            } catch (Exception e) {
                writeFailed(transfer, e);
            }
        } finally {
            sending = false;
        }
        return true;
    }

    private void transmit(@Nullable Connection current, byte[] bytes, int length) throws Exception {
        byte[] header = context.header();
        System.arraycopy(header, 0, bytes, 0, header.length);
        LONG.set(bytes, Frames.DESTINATION_OFFSET, token);
        if (current == null) {
            context.tcp().loopback(bytes, length);
        } else {
            context.tcp().transmit(address, current, bytes, length);
        }
        context.stats().framesSent.increment();
        context.stats().bytesSent.add(length);
        lastSendNanos = context.nanos();
    }

    private void sendChunk(@Nullable Connection current, Transfer transfer) throws Exception {
        if (transfer.offset == 0) {
            transfer.id = nextTransferId++;
        }
        int length = Math.min(Frames.CHUNK_BYTES, transfer.item.length - transfer.offset);
        byte[] bytes = new byte[context.headerBytes() + Frames.CHUNK_HEADER_BYTES + length];
        ByteBuffer chunk = ByteBuffer.wrap(bytes);
        chunk.position(context.headerBytes());
        chunk.put(Frames.CHUNK).putInt(transfer.id).putInt(transfer.item.length);
        chunk.putInt(transfer.offset).putInt(length).put(transfer.item, transfer.offset, length);
        boolean last = transfer.offset + length == transfer.item.length;
        Call call = transfer.call;
        if (last && call != null) {
            call.frame = 0;
        }
        transmit(current, bytes, bytes.length);
        transfer.offset += length;
        if (last) {
            outbox.endTransfer(transfer);
        }
    }

    private void endTransfer(Transfer transfer) {
        Call call = transfer.call;
        if (call != null) {
            call.frame = 0;
        }
        outbox.endTransfer(transfer);
    }

    private void connectFailed(Exception e) {
        connection = null;
        closedUntilNanos = context.nanos() + context.reconnectDelayNanos();
        if (log.isDebugEnabled()) {
            log.debug("{}: cannot connect to {}: {}", context.nodeName(), describe(), e.toString());
        }
        fail(outbox.dropAll(), true);
        if (e instanceof ConnectException
                && e.getMessage() != null
                && e.getMessage().contains("refused")) {
            // Nobody listens: the process is gone. A silent network would have given a timeout.
            markSilent();
        }
    }

    private void writeFailed(@Nullable Transfer transfer, Exception e) {
        connection = null;
        if (log.isDebugEnabled()) {
            log.debug("{}: lost the connection to {}: {}", context.nodeName(), describe(), e.toString());
        }
        if (transfer != null && !transfer.done()) {
            Call call = transfer.call;
            if (call == null || call.frame != 0) {
                transfer.offset = 0; // again, over the next connection
            } else {
                outbox.endTransfer(transfer); // its last chunk was on the way
            }
        }
        failSent();
    }

    /** The failure detector is to take the peer for unreachable now. */
    void markSilent() {
        heardNanos = NEVER;
        context.wakeMonitor();
    }

    /** JGroups says that a connection to this peer was closed. */
    void connectionClosed(Connection closed) {
        if (closed == connection) {
            connection = null;
            failSent();
            if (reachable) {
                // Ask at once whether the process is still there.
                outbox.addStamp(Frames.PING, context.nanos());
                signal();
            }
        }
    }

    private void failSent() {
        long sent = sentFrame;
        failCalls(pending.removeIf(call -> call.frame <= sent), RpcFailure.NO_ANSWER);
    }

    private void failNotSent(long upTo) {
        long sent = sentFrame;
        failCalls(pending.removeIf(call -> call.frame > sent && call.frame <= upTo), RpcFailure.NOT_SENT);
    }

    private void fail(Outbox.Dropped dropped, boolean count) {
        if (count && dropped.bytes() > 0) {
            context.stats().messagesDropped.increment();
        }
        failNotSent(dropped.lastFrame());
        for (Transfer transfer : dropped.transfers()) {
            Call call = transfer.call;
            if (call != null && pending.remove(call.id) != null) {
                failCalls(List.of(call), RpcFailure.NOT_SENT);
            }
        }
    }

    /** Ends all calls that wait, such as when the peer restarted or became unreachable. */
    void failAll() {
        failCalls(pending.removeIf(call -> true), RpcFailure.NO_ANSWER);
    }

    /** The peer does not listen: ends all calls and frees what waits. It would be stale by the time it is back. */
    void giveUpWaiting() {
        failAll();
        Outbox.Dropped dropped = outbox.dropAll();
        if (dropped.bytes() > 0) {
            context.stats().messagesDropped.increment();
        }
    }

    void expireCalls(long nowNanos) {
        failCalls(pending.expire(nowNanos), RpcFailure.NO_ANSWER);
    }

    private void failCalls(List<Call> calls, RpcFailure failure) {
        for (Call call : calls) {
            context.finish(call.callback, failure);
        }
    }

    String describe() {
        String known = name;
        return known == null ? peerAddress.toString() : known + " (" + peerAddress + ")";
    }

    @Override
    public String toString() {
        return describe();
    }
}
