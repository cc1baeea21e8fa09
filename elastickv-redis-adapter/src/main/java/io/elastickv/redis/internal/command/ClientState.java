package io.elastickv.redis.internal.command;

import org.jspecify.annotations.Nullable;

/**
 * What the server knows of a connected client. Changed on the connection's event loop only; read from any thread by
 * {@code CLIENT LIST}.
 */
public interface ClientState {

    /** Which replies are sent. */
    enum ReplyMode {
        /** All. */
        ON,
        /** None. */
        OFF,
        /** All but that of the next command. */
        SKIP_NEXT
    }

    /** A number that no other client of this adapter ever had. */
    long id();

    /** The name that the client gave itself; empty for none. */
    String name();

    /** See {@link #name()}. */
    void name(String value);

    /** The name and version of the client's library; empty if it did not say. */
    String library(boolean version);

    /** See {@link #library}. */
    void library(boolean version, String value);

    /** Whether the client chose version 3 of the protocol. */
    boolean resp3();

    /** See {@link #resp3()}. */
    void resp3(boolean value);

    /** Whether the client may use all commands. */
    boolean authenticated();

    /** See {@link #authenticated()}. */
    void authenticated(boolean value);

    /** Which replies are sent from now on. */
    void replies(ReplyMode value);

    /** Sets or clears a letter of the flags that {@code CLIENT LIST} shows. */
    void flag(char letter, boolean on);

    /** The client's address, {@code host:port}. */
    String remoteAddress();

    /** The adapter's end of the connection, {@code host:port}. */
    String localAddress();

    /** Host and port that the client reached this adapter at; the port is 0 if unknown. */
    java.net.@Nullable InetSocketAddress localSocketAddress();

    /** Back to the state of a new connection. */
    void reset();

    /** Ends the connection after the replies to the commands read so far. */
    void closeAfterReplies();

    /** Ends the connection now; may be called from any thread. */
    void kill();

    /** The line of {@code CLIENT LIST}, without line break. */
    String describe();
}
