package io.elastickv.embedded.internal.transport;

import java.io.DataInput;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Collection;
import org.jgroups.Address;
import org.jgroups.blocks.cs.Connection;
import org.jgroups.logging.Log;
import org.jgroups.protocols.TCP;
import org.jgroups.stack.DiagnosticsHandler;
import org.jgroups.stack.IpAddress;
import org.jgroups.util.Bits;

/**
 * JGroups' TCP transport, with two changes (docs/adr/0010).
 *
 * <p>Receiving: a message that begins with our magic number is one of our frames and goes from the reader thread of its
 * connection straight to the listener; JGroups never sees it.
 *
 * <p>Sending: no thread of JGroups writes to a socket. Its messages go through the outbox of their peer as ours do, so a
 * peer that stopped reading holds up its own sender thread and nobody else. (Stock TCP sends a multicast to one member
 * after the other on the calling thread: one stopped member delays everyone's heartbeats.)
 */
final class NodeTcp extends TCP {
    /** A JGroups message is fragmented at 60 KB; what claims to be far larger is none. */
    private static final int MAX_JGROUPS_MESSAGE_BYTES = 8 << 20;

    private final Wire wire;
    private final boolean diagnostics;
    private final ThreadLocal<byte[]> readBuffers = ThreadLocal.withInitial(() -> new byte[16 << 10]);

    /** The other side of this protocol. */
    interface Wire {
        /** A frame of ours, valid during the call. Must not throw. */
        void frame(IpAddress from, byte[] bytes, int length);

        /** JGroups wants this sent. Must not block. */
        void sendJGroups(IpAddress to, byte[] data, int offset, int length);

        /** Whether the link filter lets a received message pass. */
        boolean accepts(IpAddress from);

        void connectionClosed(IpAddress peer, Connection connection);
    }

    NodeTcp(Wire wire, boolean diagnostics) {
        this.wire = wire;
        this.diagnostics = diagnostics;
    }

    @Override
    public DiagnosticsHandler createDiagnosticsHandler() {
        return super.createDiagnosticsHandler().setEnabled(diagnostics);
    }

    @Override
    public String getName() {
        return "TCP";
    }

    // Sender threads.

    /** Returns the connection to a peer; blocks while one is being established. */
    Connection connect(IpAddress to) throws Exception {
        if (srv == null || !srv.running()) {
            throw new IOException("the transport is not running");
        }
        Connection connection = srv.getConnection(to);
        if (!srv.running()) {
            // Made after the stop had closed all connections: nobody else would close it.
            drop(to, connection);
            throw new IOException("the transport is not running");
        }
        return connection;
    }

    boolean isSelf(Address address) {
        return srv != null && address.equals(srv.localAddress());
    }

    /** Writes a frame or a JGroups message; blocks while the peer does not read. */
    void transmit(IpAddress to, Connection connection, byte[] data, int length) throws Exception {
        try {
            connection.send(data, 0, length);
        } catch (Exception e) {
            drop(to, connection);
            throw e;
        }
    }

    /** Delivers a frame to this node itself. */
    void loopback(byte[] data, int length) {
        wire.frame((IpAddress) srv.localAddress(), data, length);
    }

    private void drop(IpAddress peer, Connection connection) {
        closeAbruptly(connection);
        srv.removeConnectionIfPresent(peer, connection);
    }

    /** Closes the connection to a peer without a word: also frees a thread that is blocked writing to it. */
    void dropConnection(IpAddress peer) {
        if (srv != null) {
            srv.forAllConnections((address, connection) -> {
                if (address.equals(peer)) {
                    drop(peer, connection);
                }
            });
        }
    }

    private static void closeAbruptly(Connection connection) {
        try {
            connection.close(false);
        } catch (IOException e) {
            // It is closed one way or the other.
        }
    }

    // JGroups' side.

    @Override
    public void send(Address dest, byte[] data, int offset, int length) throws Exception {
        if (dest instanceof IpAddress to) {
            wire.sendJGroups(to, data, offset, length);
        }
    }

    /**
     * Keeps all connections. The stock method closes those to members that are not in the view, although traffic of ours
     * does not depend on views; and it closes them with a last word, which blocks the thread that installs the view if
     * the peer has stopped reading.
     */
    @Override
    public void retainAll(Collection<Address> members) {}

    @Override
    protected void handleDisconnect() {
        // The stock close writes a last word and would block on a peer that does not read. Goodbyes are said already.
        if (srv != null) {
            srv.forAllConnections((address, connection) -> closeAbruptly(connection));
        }
        super.handleDisconnect();
    }

    @Override
    public void start() throws Exception {
        super.start();
        // It would say a last word on a connection that the peer has closed, and log the failure as an error.
        srv.removeConnectionListener(srv);
        srv.log(quiet(log));
    }

    /** A connection that ends is an everyday event: who became unreachable is told by the failure detector. */
    private static Log quiet(Log log) {
        return (Log) Proxy.newProxyInstance(
                Log.class.getClassLoader(), new Class<?>[] {Log.class}, (proxy, method, args) -> {
                    boolean loud =
                            method.getName().equals("error") || method.getName().equals("warn");
                    Method called = loud ? Log.class.getMethod("debug", method.getParameterTypes()) : method;
                    return called.invoke(log, args);
                });
    }

    @Override
    public void connectionClosed(Connection conn) {
        super.connectionClosed(conn);
        if (conn.peerAddress() instanceof IpAddress peer) {
            drop(peer, conn);
            wire.connectionClosed(peer, conn);
        }
    }

    @Override
    public void receive(Address sender, DataInput in, int length) throws Exception {
        int max = MAX_JGROUPS_MESSAGE_BYTES;
        if (length < 0 || length > max) {
            throw new IOException("a message from " + sender + " claims to have " + length + " bytes; at most " + max
                    + " are accepted: closing the connection");
        }
        short magic = 0;
        int done = 0;
        if (length >= Short.BYTES) {
            magic = in.readShort();
            done = Short.BYTES;
        }
        boolean ours = magic == Frames.MAGIC;
        if (ours && length > Frames.MAX_FRAME_BYTES) {
            throw new IOException("a frame from " + sender + " claims to have " + length + " bytes; at most "
                    + Frames.MAX_FRAME_BYTES + " are accepted: closing the connection");
        }
        byte[] data = ours ? readBuffer(length) : new byte[length];
        if (done > 0) {
            Bits.writeShort(magic, data, 0);
        }
        in.readFully(data, done, length - done);
        dispatch(sender, data, 0, length, ours);
    }

    @Override
    public void receive(Address sender, byte[] data, int offset, int length) {
        boolean ours = length >= Short.BYTES && Bits.readShort(data, offset) == Frames.MAGIC;
        if (ours && offset != 0) {
            byte[] moved = readBuffer(length);
            System.arraycopy(data, offset, moved, 0, length);
            dispatch(sender, moved, 0, length, true);
        } else {
            dispatch(sender, data, offset, length, ours);
        }
    }

    private void dispatch(Address sender, byte[] data, int offset, int length, boolean ours) {
        if (!(sender instanceof IpAddress from) || !wire.accepts(from)) {
            return;
        }
        if (ours) {
            wire.frame(from, data, length);
        } else {
            super.receive(sender, data, offset, length);
        }
    }

    private byte[] readBuffer(int length) {
        byte[] buffer = readBuffers.get();
        if (buffer.length < length) {
            buffer = new byte[Math.max(length, 2 * buffer.length)];
            readBuffers.set(buffer);
        }
        return buffer;
    }
}
