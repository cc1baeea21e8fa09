package io.elastickv.redis.internal.command;

import io.elastickv.api.UnsafeBytes;
import io.elastickv.redis.internal.resp.Replies;
import io.elastickv.redis.internal.resp.Reply;
import java.util.List;
import java.util.function.Function;

/** {@code OBJECT}: what Redis tells of how it stores a value, as it would be told of the same value. */
final class ObjectCommands {

    /** Up to this length Redis allocates object and string in one piece. */
    private static final int EMBEDDED_BYTES = 44;

    private static final long SHARED_INTEGERS = 10_000;
    private static final long SHARED_REFERENCES = Integer.MAX_VALUE;

    private final Server server;

    ObjectCommands(Server server) {
        this.server = server;
    }

    void define(CommandTable table) {
        CommandSpec object = table.add("object", -2)
                .since("2.2.3")
                .complexity("Depends on subcommand.")
                .doc("Tells how Redis would store a value.", "");
        sub(object, "encoding", "2.2.3", "Tells how Redis would encode the value.")
                .does(call -> value(call, value -> Reply.bulk(encoding(value))));
        sub(object, "refcount", "2.2.3", "Tells how often Redis would share the value.")
                .does(call -> value(call, value -> Reply.integer(isShared(value) ? SHARED_REFERENCES : 1)));
        sub(object, "idletime", "2.2.3", "Always 0: accesses are not recorded.")
                .does(call -> value(call, value -> Replies.ZERO));
        sub(object, "freq", "4.0.0", "Fails as in Redis without an LFU policy.")
                .does(call -> value(
                        call,
                        value ->
                                Reply.error("ERR An LFU maxmemory policy is not selected, access frequency not tracked."
                                        + " Please note that when switching between policies at runtime LRU and LFU data will"
                                        + " take some time to adjust.")));
        object.sub("help", 2)
                .flags("loading stale")
                .categories("keyspace")
                .since("6.2.0")
                .doc("Lists the subcommands.", "")
                .does(call -> call.reply(Help.reply("OBJECT", HELP)));
    }

    private static final List<String> HELP = List.of(
            "ENCODING <key>",
            "    Return the kind of internal representation used in order to store the value",
            "    associated with a <key>.",
            "FREQ <key>",
            "    Return the access frequency index of the <key>. The returned integer is",
            "    proportional to the logarithm of the recent access frequency of the key.",
            "IDLETIME <key>",
            "    Return the idle time of the <key>, that is the approximated number of",
            "    seconds elapsed since the last access to the key.",
            "REFCOUNT <key>",
            "    Return the number of references of the value associated with the specified",
            "    <key>.");

    private static CommandSpec sub(CommandSpec object, String name, String since, String summary) {
        return object.sub(name, 3)
                .flags("readonly")
                .categories("keyspace read")
                .key(2, 0, 1, "RO")
                .tips("nondeterministic_output")
                .since(since)
                .doc(summary, "key");
    }

    private void value(Call call, Function<byte[], Reply> toReply) {
        call.reply(
                server.store().get(call.bytes(2)),
                found -> found.isPresent()
                        ? toReply.apply(UnsafeBytes.array(found.get().value()))
                        : Replies.NULL);
    }

    private static String encoding(byte[] value) {
        if (Words.isLong(value)) {
            return "int";
        }
        return value.length <= EMBEDDED_BYTES ? "embstr" : "raw";
    }

    private static boolean isShared(byte[] value) {
        long[] number = new long[1];
        return Words.parseLong(value, number) && number[0] >= 0 && number[0] < SHARED_INTEGERS;
    }
}
