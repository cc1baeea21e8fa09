package io.elastickv.redis.internal.command;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.elastickv.redis.internal.resp.Replies;
import io.elastickv.redis.internal.resp.Reply;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/** {@code CLIENT}: the connections of this adapter. */
final class ClientCommands {

    private static final String FLAGS = "noscript loading stale";
    private static final String ADMIN_FLAGS = "admin noscript loading stale";

    private final Server server;

    ClientCommands(Server server) {
        this.server = server;
    }

    void define(CommandTable table) {
        CommandSpec client = table.add("client", -2)
                .group("connection")
                .since("2.4.0")
                .complexity("Depends on subcommand.")
                .doc("Shows and manages this adapter's connections.", "");
        sub(client, "id", 2, FLAGS, "5.0.0", "Returns this connection's number.", "")
                .does(call -> call.reply(Reply.integer(call.client().id())));
        sub(client, "info", 2, FLAGS, "6.2.0", "Describes this connection.", "")
                .tips("nondeterministic_output")
                .does(call -> call.reply(Reply.verbatim(call.client().describe() + "\n")));
        sub(
                        client,
                        "list",
                        -2,
                        ADMIN_FLAGS,
                        "2.4.0",
                        "Describes the connections.",
                        "[TYPE (NORMAL|MASTER|REPLICA|PUBSUB)] [ID client-id [client-id ...]]")
                .tips("nondeterministic_output")
                .complexity("O(N) where N is the number of client connections")
                .does(this::list);
        sub(
                        client,
                        "kill",
                        -3,
                        ADMIN_FLAGS,
                        "2.4.0",
                        "Ends connections.",
                        "(ip:port|([ID client-id] [TYPE (NORMAL|MASTER|SLAVE|REPLICA|PUBSUB)] [USER username]"
                                + " [ADDR ip:port] [LADDR ip:port] [SKIPME (YES|NO)]))")
                .complexity("O(N) where N is the number of client connections")
                .does(this::kill);
        sub(client, "getname", 2, FLAGS, "2.6.9", "Returns the connection's name.", "")
                .does(call -> {
                    String name = call.client().name();
                    call.reply(name.isEmpty() ? Replies.NULL : Reply.bulk(name.getBytes(ISO_8859_1)));
                });
        sub(client, "setname", 3, FLAGS, "2.6.9", "Names the connection.", "connection-name")
                .does(call -> {
                    checkName(call, 2, "Client names");
                    call.client().name(new String(call.raw(2), ISO_8859_1));
                    call.reply(Replies.OK);
                });
        sub(
                        client,
                        "setinfo",
                        4,
                        FLAGS,
                        "7.2.0",
                        "Tells the client library's name or version.",
                        "(LIB-NAME libname|LIB-VER libver)")
                .does(ClientCommands::setInfo);
        sub(client, "no-evict", 3, ADMIN_FLAGS, "7.0.0", "Accepted: no client is ever evicted for memory.", "(ON|OFF)")
                .does(call -> onOff(call, 'e'));
        sub(client, "no-touch", 3, FLAGS, "7.2.0", "Accepted: accesses are not recorded.", "(ON|OFF)")
                .does(call -> onOff(call, 'T'));
        sub(client, "reply", 3, FLAGS, "3.2.0", "Switches replies on or off.", "(ON|OFF|SKIP)")
                .does(ClientCommands::replies);
        sub(client, "help", 2, "loading stale", "5.0.0", "Lists the subcommands.", "")
                .does(call -> call.reply(Help.reply("CLIENT", HELP)));
    }

    private static CommandSpec sub(
            CommandSpec client, String name, int arity, String flags, String since, String summary, String syntax) {
        return client.sub(name, arity)
                .flags(flags)
                .categories("connection")
                .since(since)
                .doc(summary, syntax);
    }

    private static final List<String> HELP = List.of(
            "GETNAME",
            "    Return the name of the current connection.",
            "ID",
            "    Return the ID of the current connection.",
            "INFO",
            "    Return information about the current client connection.",
            "KILL <ip:port>",
            "    Kill connection made from <ip:port>.",
            "KILL <option> <value> [<option> <value> [...]]",
            "    Kill connections. Options are:",
            "    * ADDR (<ip:port>|<unixsocket>:0)",
            "      Kill connections made from the specified address",
            "    * LADDR (<ip:port>|<unixsocket>:0)",
            "      Kill connections made to specified local address",
            "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
            "      Kill connections by type.",
            "    * USER <username>",
            "      Kill connections authenticated by <username>.",
            "    * SKIPME (YES|NO)",
            "      Skip killing current connection (default: yes).",
            "LIST [options ...]",
            "    Return information about client connections. Options:",
            "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
            "      Return clients of specified type.",
            "REPLY (ON|OFF|SKIP)",
            "    Control the replies sent to the current connection.",
            "SETNAME <name>",
            "    Assign the name <name> to the current connection.",
            "SETINFO <option> <value>",
            "    Set client meta attr. Options are:",
            "    * LIB-NAME: the client lib name.",
            "    * LIB-VER: the client lib version.",
            "NO-EVICT (ON|OFF)",
            "    Protect current client connection from eviction.",
            "NO-TOUCH (ON|OFF)",
            "    Will not touch LRU/LFU stats when this mode is on.");

    /** Names must be printable and without spaces, so that the lines of CLIENT LIST can be taken apart. */
    static void checkName(Call call, int index, String what) {
        for (byte b : call.raw(index)) {
            if (b < '!' || b > '~') {
                throw new CommandException("ERR " + what + " cannot contain spaces, newlines or special characters.");
            }
        }
    }

    private static void setInfo(Call call) {
        boolean version = call.is(2, "lib-ver");
        String option = CommandTable.quoted(call.raw(2), Integer.MAX_VALUE);
        if (!version && !call.is(2, "lib-name")) {
            throw new CommandException("ERR Unrecognized option '" + option + "'");
        }
        checkName(call, 3, option);
        call.client().library(version, new String(call.raw(3), ISO_8859_1));
        call.reply(Replies.OK);
    }

    private static void onOff(Call call, char flag) {
        boolean on = call.is(2, "on");
        if (!on && !call.is(2, "off")) {
            throw CommandException.syntax();
        }
        call.client().flag(flag, on);
        call.reply(Replies.OK);
    }

    private static void replies(Call call) {
        if (call.is(2, "on")) {
            call.client().replies(ClientState.ReplyMode.ON);
            call.reply(Replies.OK);
        } else if (call.is(2, "off")) {
            call.client().replies(ClientState.ReplyMode.OFF);
            call.reply(Replies.NONE);
        } else if (call.is(2, "skip")) {
            call.client().replies(ClientState.ReplyMode.SKIP_NEXT);
            call.reply(Replies.NONE);
        } else {
            throw CommandException.syntax();
        }
    }

    private void list(Call call) {
        Predicate<ClientState> wanted = client -> true;
        if (call.size() == 4 && call.is(2, "type")) {
            boolean normal = isNormal(call, 3);
            wanted = client -> normal;
        } else if (call.size() > 3 && call.is(2, "id")) {
            List<Long> ids = new ArrayList<>();
            for (int i = 3; i < call.size(); i++) {
                ids.add(call.integer(i, "ERR Invalid client ID"));
            }
            wanted = client -> ids.contains(client.id());
        } else if (call.size() != 2) {
            throw CommandException.syntax();
        }
        StringBuilder lines = new StringBuilder();
        for (ClientState client : server.clients()) {
            if (wanted.test(client)) {
                lines.append(client.describe()).append('\n');
            }
        }
        call.reply(Reply.verbatim(lines.toString()));
    }

    /** Whether the type of clients named is that of all clients here; Redis' other types have none. */
    private static boolean isNormal(Call call, int index) {
        return switch (call.text(index).toLowerCase(Locale.ROOT)) {
            case "normal" -> true;
            case "master", "slave", "replica", "pubsub" -> false;
            default ->
                throw new CommandException(
                        "ERR Unknown client type '" + CommandTable.quoted(call.raw(index), Integer.MAX_VALUE) + "'");
        };
    }

    private void kill(Call call) {
        Predicate<ClientState> wanted = client -> true;
        boolean skipSelf = true;
        if (call.size() == 3) {
            String address = call.text(2);
            wanted = client -> client.remoteAddress().equals(address);
            skipSelf = false;
        }
        for (int i = 2; call.size() > 3 && i < call.size(); i += 2) {
            if (i + 1 >= call.size()) {
                throw CommandException.syntax();
            }
            String value = call.text(i + 1);
            if (call.is(i, "id")) {
                long id = call.integer(i + 1, "ERR client-id should be greater than 0");
                if (id < 1) {
                    throw new CommandException("ERR client-id should be greater than 0");
                }
                wanted = wanted.and(client -> client.id() == id);
            } else if (call.is(i, "type")) {
                boolean normal = isNormal(call, i + 1);
                wanted = wanted.and(client -> normal);
            } else if (call.is(i, "addr")) {
                wanted = wanted.and(client -> client.remoteAddress().equals(value));
            } else if (call.is(i, "laddr")) {
                wanted = wanted.and(client -> client.localAddress().equals(value));
            } else if (call.is(i, "user")) {
                if (!value.equals("default")) {
                    throw new CommandException("ERR No such user '" + value + "'");
                }
                wanted = wanted.and(ClientState::authenticated);
            } else if (call.is(i, "skipme") && (call.is(i + 1, "yes") || call.is(i + 1, "no"))) {
                skipSelf = call.is(i + 1, "yes");
            } else {
                throw CommandException.syntax();
            }
        }
        int killed = killAll(call.client(), wanted, skipSelf);
        if (call.size() > 3) {
            call.reply(Reply.integer(killed));
        } else if (killed > 0) {
            call.reply(Replies.OK);
        } else {
            throw new CommandException("ERR No such client");
        }
    }

    private int killAll(ClientState self, Predicate<ClientState> wanted, boolean skipSelf) {
        int killed = 0;
        for (ClientState client : server.clients()) {
            if (!wanted.test(client) || (client == self && skipSelf)) {
                continue;
            }
            if (client == self) {
                client.closeAfterReplies();
            } else {
                client.kill();
            }
            killed++;
        }
        return killed;
    }
}
