package io.elastickv.redis.internal.command;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.elastickv.redis.internal.resp.Replies;
import io.elastickv.redis.internal.resp.Reply;
import java.security.MessageDigest;

/** Commands about the connection itself. */
final class ConnectionCommands {

    /** The version of Redis whose replies these are. */
    static final String REDIS_VERSION = "7.0.15";

    private static final String ENTRY_FLAGS = "noscript loading stale fast no_auth allow_busy";
    private static final String WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled.";

    private final Server server;

    ConnectionCommands(Server server) {
        this.server = server;
    }

    void define(CommandTable table) {
        connection(table, "ping", -1, "fast")
                .tips("request_policy:all_shards response_policy:all_succeeded")
                .doc("Answers.", "[message]")
                .does(ConnectionCommands::ping);
        connection(table, "echo", 2, "loading stale fast")
                .doc("Sends its argument back.", "message")
                .does(call -> call.reply(Reply.bulk(call.raw(1))));
        connection(table, "hello", -1, ENTRY_FLAGS)
                .since("6.0.0")
                .doc(
                        "Chooses the protocol's version and tells about the server.",
                        "[protover [AUTH username password] [SETNAME clientname]]")
                .does(this::hello);
        connection(table, "auth", -2, ENTRY_FLAGS)
                .complexity("O(N) where N is the number of passwords defined for the user")
                .doc("Gives the password.", "[username] password")
                .does(this::auth);
        connection(table, "select", 2, "loading stale fast")
                .doc("Chooses a database: there is only 0.", "index")
                .does(ConnectionCommands::select);
        connection(table, "quit", -1, ENTRY_FLAGS)
                .doc("Ends the connection after this reply.", "")
                .does(call -> {
                    call.reply(Replies.OK);
                    call.client().closeAfterReplies();
                });
        connection(table, "reset", 1, ENTRY_FLAGS)
                .since("6.2.0")
                .doc("Back to the state of a new connection.", "")
                .does(call -> {
                    call.client().reset();
                    call.reply(Reply.simple("RESET"));
                });
        clusterMode(table, "readonly", 1, "loading stale fast")
                .doc("Accepted: reads are linearizable on every node anyway.", "")
                .does(call -> {
                    // Reads are linearizable on every node: there is nothing to switch.
                    call.client().flag('r', true);
                    call.reply(Replies.OK);
                });
        clusterMode(table, "readwrite", 1, "loading stale fast")
                .doc("Takes READONLY back.", "")
                .does(call -> {
                    call.client().flag('r', false);
                    call.reply(Replies.OK);
                });
        clusterMode(table, "asking", 1, "fast")
                .doc("Accepted: nobody is ever redirected.", "")
                .does(call -> call.reply(Replies.OK));
    }

    private static CommandSpec connection(CommandTable table, String name, int arity, String flags) {
        return table.add(name, arity).flags(flags).categories("connection").group("connection");
    }

    private static CommandSpec clusterMode(CommandTable table, String name, int arity, String flags) {
        return connection(table, name, arity, flags).group("cluster").since("3.0.0");
    }

    private static void ping(Call call) {
        if (call.size() > 2) {
            throw CommandException.arity("ping");
        }
        call.reply(call.size() == 1 ? Replies.PONG : Reply.bulk(call.raw(1)));
    }

    private static void select(Call call) {
        if (call.int32(1) != 0) {
            throw new CommandException("ERR SELECT is not allowed in cluster mode");
        }
        call.reply(Replies.OK);
    }

    private void auth(Call call) {
        if (call.size() > 3) {
            throw CommandException.syntax();
        }
        if (call.size() == 2 && server.password() == null) {
            throw new CommandException(
                    "ERR AUTH <password> called without any password configured for the default user."
                            + " Are you sure your configuration is correct?");
        }
        boolean named = call.size() == 3;
        if (!mayEnter(named ? call.raw(1) : null, call.raw(named ? 2 : 1))) {
            throw new CommandException(WRONG_PASSWORD);
        }
        call.client().authenticated(true);
        call.reply(Replies.OK);
    }

    private boolean mayEnter(byte @org.jspecify.annotations.Nullable [] user, byte[] given) {
        byte[] password = server.password();
        return (user == null || new String(user, ISO_8859_1).equals("default"))
                && (password == null || MessageDigest.isEqual(password, given));
    }

    private void hello(Call call) {
        long version = 0;
        if (call.size() > 1) {
            version = call.integer(1, "ERR Protocol version is not an integer or out of range");
            if (version < 2 || version > 3) {
                throw new CommandException("NOPROTO unsupported protocol version");
            }
        }
        int user = 0;
        int name = 0;
        for (int i = 2; i < call.size(); i++) {
            if (call.is(i, "auth") && i + 2 < call.size()) {
                user = i + 1;
                i += 2;
            } else if (call.is(i, "setname") && i + 1 < call.size()) {
                name = ++i;
                ClientCommands.checkName(call, name, "Client names");
            } else {
                throw new CommandException("ERR Syntax error in HELLO option '"
                        + CommandTable.quoted(call.raw(i), Integer.MAX_VALUE) + "'");
            }
        }
        ClientState client = call.client();
        if (user > 0) {
            if (!mayEnter(call.raw(user), call.raw(user + 1))) {
                throw new CommandException(WRONG_PASSWORD);
            }
            client.authenticated(true);
        }
        if (!client.authenticated()) {
            throw new CommandException(
                    "NOAUTH HELLO must be called with the client already authenticated, otherwise the"
                            + " HELLO AUTH <user> <pass> option can be used to authenticate the client and select the"
                            + " RESP protocol version at the same time");
        }
        if (name > 0) {
            client.name(new String(call.raw(name), ISO_8859_1));
        }
        if (version > 0) {
            client.resp3(version == 3);
        }
        call.reply(Reply.map(
                "server",
                "redis",
                "version",
                REDIS_VERSION,
                "proto",
                client.resp3() ? 3 : 2,
                "id",
                client.id(),
                "mode",
                "cluster",
                "role",
                "master",
                "modules",
                Replies.EMPTY_ARRAY));
    }
}
