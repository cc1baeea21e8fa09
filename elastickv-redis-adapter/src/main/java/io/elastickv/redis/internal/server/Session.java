package io.elastickv.redis.internal.server;

import io.elastickv.redis.internal.command.ClientState;
import io.elastickv.redis.internal.command.CommandSpec;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** What is known of a connected client. Changed on its event loop; read from any thread. */
final class Session implements ClientState {

    /** What a session can do to its connection. */
    interface Control {
        /** See {@link ClientState#closeAfterReplies()}. */
        void closeAfterReplies();

        /** See {@link ClientState#kill()}. */
        void kill();

        /** The password was given, or is asked for again. */
        void authenticated(boolean value);

        /** Commands under way and bytes of an unfinished request. */
        int unfinished();
    }

    private final long id;
    private final SocketAddress remote;
    private final SocketAddress local;
    private final boolean passwordNeeded;
    private final Control control;
    private final long createdNanos = System.nanoTime();

    private volatile String name = "";
    private volatile String libraryName = "";
    private volatile String libraryVersion = "";
    private volatile boolean resp3;
    private volatile boolean authenticated;
    private volatile long lastNanos = createdNanos;
    private volatile String lastCommand = "NULL";
    private volatile String flags = "";
    private ReplyMode replies = ReplyMode.ON;
    private boolean skipping;

    Session(long id, SocketAddress remote, SocketAddress local, boolean passwordNeeded, Control control) {
        this.id = id;
        this.remote = remote;
        this.local = local;
        this.passwordNeeded = passwordNeeded;
        this.authenticated = !passwordNeeded;
        this.control = control;
    }

    /** Whether the reply to the command that begins now is not sent. */
    boolean suppressNext() {
        skipping = false;
        if (replies == ReplyMode.ON) {
            return false;
        }
        if (replies == ReplyMode.SKIP_NEXT) {
            replies = ReplyMode.ON;
            skipping = true;
        }
        return true;
    }

    /** Whether the reply to the present command is still not sent: the command may have switched replies on. */
    boolean suppresses() {
        boolean result = replies == ReplyMode.OFF || skipping;
        skipping = false;
        return result;
    }

    void lastCommand(@Nullable CommandSpec spec) {
        lastNanos = System.nanoTime();
        if (spec != null) {
            lastCommand = spec.fullName();
        }
    }

    @Override
    public long id() {
        return id;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void name(String value) {
        name = value;
    }

    @Override
    public String library(boolean version) {
        return version ? libraryVersion : libraryName;
    }

    @Override
    public void library(boolean version, String value) {
        if (version) {
            libraryVersion = value;
        } else {
            libraryName = value;
        }
    }

    @Override
    public boolean resp3() {
        return resp3;
    }

    @Override
    public void resp3(boolean value) {
        resp3 = value;
    }

    @Override
    public boolean authenticated() {
        return authenticated;
    }

    @Override
    public void authenticated(boolean value) {
        authenticated = value;
        control.authenticated(value);
    }

    @Override
    public void replies(ReplyMode value) {
        skipping &= value != ReplyMode.ON;
        // Skipping one reply means nothing while none are sent.
        if (value != ReplyMode.SKIP_NEXT || replies != ReplyMode.OFF) {
            replies = value;
        }
    }

    @Override
    public void flag(char letter, boolean on) {
        String without = flags.replace(String.valueOf(letter), "");
        flags = on ? without + letter : without;
    }

    @Override
    public String remoteAddress() {
        return text(remote);
    }

    @Override
    public String localAddress() {
        return text(local);
    }

    @Override
    public @Nullable InetSocketAddress localSocketAddress() {
        return local instanceof InetSocketAddress inet ? inet : null;
    }

    private static String text(SocketAddress address) {
        if (address instanceof InetSocketAddress inet && inet.getAddress() != null) {
            String host = inet.getAddress().getHostAddress();
            int zone = host.indexOf('%');
            host = zone < 0 ? host : host.substring(0, zone);
            return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + inet.getPort();
        }
        return address.toString();
    }

    @Override
    public void reset() {
        name = "";
        resp3 = false;
        flags = "";
        replies = ReplyMode.ON;
        authenticated(!passwordNeeded);
    }

    @Override
    public void closeAfterReplies() {
        control.closeAfterReplies();
    }

    @Override
    public void kill() {
        control.kill();
    }

    @Override
    public String describe() {
        long now = System.nanoTime();
        return "id=" + id + " addr=" + remoteAddress() + " laddr=" + localAddress() + " fd=" + (id + 7) + " name="
                + name
                + " age=" + (now - createdNanos) / 1_000_000_000L + " idle=" + (now - lastNanos) / 1_000_000_000L
                + " flags=" + (flags.isEmpty() ? "N" : flags)
                + " db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0"
                + " omem=0 tot-mem=0 events=r cmd=" + lastCommand + " user="
                + (authenticated ? "default" : "(superuser)")
                + " redir=-1 resp=" + (resp3 ? 3 : 2) + " lib-name=" + libraryName + " lib-ver=" + libraryVersion;
    }
}
