package io.elastickv.redis.internal.command;

import io.elastickv.api.Batch;
import io.elastickv.api.Bytes;
import io.elastickv.api.Condition;
import io.elastickv.api.Expiry;
import io.elastickv.api.Limits;
import io.elastickv.api.PutOptions;
import io.elastickv.api.UnsafeBytes;
import io.elastickv.api.VersionedValue;
import io.elastickv.redis.internal.resp.Replies;
import io.elastickv.redis.internal.resp.Reply;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reading and writing whole values. */
final class StringCommands {

    private final Server server;

    StringCommands(Server server) {
        this.server = server;
    }

    void define(CommandTable table) {
        string(table, "get", 2, "readonly fast", "read string", "RO access")
                .doc("Reads a key.", "key")
                .mergesAll(call -> true, this::getAll)
                .does(this::get);
        string(table, "set", -3, "write denyoom", "write string", "")
                .key(1, 0, 1, "RW access update variable_flags", "RW and ACCESS due to the optional `GET` argument")
                .doc(
                        "Writes a key, in the way that the options say.",
                        "key value [NX|XX] [GET] [EX seconds|PX milliseconds|EXAT unix-time-seconds"
                                + "|PXAT unix-time-milliseconds|KEEPTTL]")
                .mergesAll(call -> call.size() == 3 && call.raw(2).length <= Limits.MAX_VALUE_BYTES, this::setLast)
                .does(this::set);
        string(table, "getdel", 2, "write fast", "write string", "RW access delete")
                .since("6.2.0")
                .doc("Deletes a key and returns what it had.", "key")
                .does(call -> call.reply(server.store().getAndDelete(call.bytes(1)), StringCommands::valueOrNull));
        string(table, "getex", -2, "write fast", "write string", "")
                .key(1, 0, 1, "RW access update", "RW and UPDATE because it changes the TTL")
                .since("6.2.0")
                .doc(
                        "Reads a key and changes when it expires.",
                        "key [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|PERSIST]")
                .does(this::getEx);
        string(table, "getset", 3, "write denyoom fast", "write string", "RW access update")
                .doc("Writes a key and returns what it had.", "key value")
                .does(call -> call.reply(
                        server.store().getAndPut(call.bytes(1), value(call, 2)), StringCommands::valueOrNull));
        string(table, "setnx", 3, "write denyoom fast", "write string", "OW insert")
                .doc("Writes a key if it does not exist.", "key value")
                .does(call -> call.reply(
                        server.store().putIfAbsent(call.bytes(1), value(call, 2)), done -> Reply.integer(done)));
        string(table, "setex", 4, "write denyoom", "write string", "OW update")
                .since("2.0.0")
                .doc("Writes a key that expires after some seconds.", "key seconds value")
                .does(call -> setWithExpiry(call, true, "setex"));
        string(table, "psetex", 4, "write denyoom", "write string", "OW update")
                .since("2.6.0")
                .doc("Writes a key that expires after some milliseconds.", "key milliseconds value")
                .does(call -> setWithExpiry(call, false, "psetex"));
        string(table, "mget", -2, "readonly fast", "read string", "")
                .key(1, -1, 1, "RO access")
                .tips("request_policy:multi_shard")
                .complexity("O(N) where N is the number of keys to retrieve.")
                .doc("Reads keys, also of several slots.", "key [key ...]")
                .does(this::mGet);
        string(table, "mset", -3, "write denyoom", "write string", "")
                .key(1, -1, 2, "OW update")
                .sharingASlot()
                .since("1.0.1")
                .tips("request_policy:multi_shard response_policy:all_succeeded")
                .complexity("O(N) where N is the number of keys to set.")
                .doc("Writes keys of one slot at once.", "key value [key value ...]")
                .does(this::mSet);
        string(table, "msetnx", -3, "write denyoom", "write string", "")
                .key(1, -1, 2, "OW insert")
                .sharingASlot()
                .since("1.0.1")
                .tips("request_policy:multi_shard response_policy:agg_min")
                .complexity("O(N) where N is the number of keys to set.")
                .doc("Writes keys of one slot at once if none of them exists.", "key value [key value ...]")
                .does(this::mSetNx);
    }

    /** A command of one key, the first argument, if {@code keyFlags} is not empty. */
    static CommandSpec string(
            CommandTable table, String name, int arity, String flags, String categories, String keyFlags) {
        CommandSpec spec =
                table.add(name, arity).flags(flags).categories(categories).group("string");
        return keyFlags.isEmpty() ? spec : spec.key(1, 0, 1, keyFlags);
    }

    static Reply valueOrNull(Optional<VersionedValue> found) {
        return found.isPresent() ? Reply.bulk(UnsafeBytes.array(found.get().value())) : Replies.NULL;
    }

    /** An argument as a value, if it is not too long. */
    static Bytes value(Call call, int index) {
        checkLength(call.raw(index).length);
        return call.bytes(index);
    }

    static void checkLength(long length) {
        if (length > Limits.MAX_VALUE_BYTES) {
            throw new CommandException("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
        }
    }

    private void get(Call call) {
        call.reply(server.store().get(call.bytes(1)), StringCommands::valueOrNull);
    }

    private void getAll(List<? extends Call> calls) {
        replyToAll(calls, calls.get(0), this::get);
    }

    private void setLast(List<? extends Call> calls) {
        replyToAll(calls, calls.get(calls.size() - 1), this::set);
    }

    private static void replyToAll(List<? extends Call> calls, Call representative, Handler handler) {
        handler.handle(new Call(representative.arguments()) {
            @Override
            public ClientState client() {
                return representative.client();
            }

            @Override
            public void reply(Reply reply) {
                for (Call call : calls) {
                    call.reply(reply);
                }
            }
        });
    }

    private void set(Call call) {
        if (call.size() == 3) {
            call.reply(server.store().put(call.bytes(1), value(call, 2)), version -> Replies.OK);
            return;
        }
        SetOptions options = SetOptions.ofSet(call);
        Expiry expiry = options.expiry(call, "set", server.clock());
        call.reply(server.store().put(call.bytes(1), value(call, 2), options.put(expiry)), result -> {
            if (options.get) {
                return valueOrNull(result.previous());
            }
            return result.applied() ? Replies.OK : Replies.NULL;
        });
    }

    private void setWithExpiry(Call call, boolean seconds, String command) {
        Expiry expiry = SetOptions.expiry(call.integer(2), seconds, false, command, server.clock());
        PutOptions options = PutOptions.defaults().expiry(expiry);
        call.reply(server.store().put(call.bytes(1), value(call, 3), options), result -> Replies.OK);
    }

    private void getEx(Call call) {
        SetOptions options = SetOptions.ofGetEx(call);
        if (!options.changesExpiry()) {
            get(call);
            return;
        }
        Bytes key = call.bytes(1);
        Expiry expiry;
        try {
            expiry = options.expiry(call, "getex", server.clock());
        } catch (CommandException error) {
            // As Redis: the time is looked at only if the key exists.
            call.reply(server.store().describe(key), found -> {
                if (found.isPresent()) {
                    throw error;
                }
                return Replies.NULL;
            });
            return;
        }
        Batch batch = Batch.builder()
                .require(key, Condition.present())
                .get(key)
                .expire(key, expiry)
                .build();
        call.reply(
                server.store().execute(batch),
                result -> result.applied() ? valueOrNull(result.results().get(0).previous()) : Replies.NULL);
    }

    private void mGet(Call call) {
        List<Bytes> keys = new ArrayList<>(call.size() - 1);
        for (int i = 1; i < call.size(); i++) {
            keys.add(call.bytes(i));
        }
        Set<Bytes> distinct = new LinkedHashSet<>(keys);
        call.reply(server.store().getAll(distinct), result -> {
            List<Reply> values = new ArrayList<>(keys.size());
            for (Bytes key : keys) {
                VersionedValue found = result.values().get(key);
                values.add(found == null ? Replies.NULL : Reply.bulk(UnsafeBytes.array(found.value())));
            }
            return Reply.array(Collections.unmodifiableList(values));
        });
    }

    private void mSet(Call call) {
        Map<Bytes, Bytes> entries = entries(call, "mset");
        call.reply(server.store().putAll(entries), result -> Replies.OK);
    }

    private void mSetNx(Call call) {
        Map<Bytes, Bytes> entries = entries(call, "msetnx");
        Batch.Builder batch = Batch.builder();
        entries.forEach((key, value) -> batch.require(key, Condition.absent()).put(key, value));
        call.reply(server.store().execute(batch.build()), result -> Reply.integer(result.applied()));
    }

    /** Keys and values in turn; of a key given twice the last value counts. */
    private static Map<Bytes, Bytes> entries(Call call, String command) {
        if (call.size() % 2 == 0) {
            throw CommandException.arity(command);
        }
        Map<Bytes, Bytes> entries = new LinkedHashMap<>();
        for (int i = 1; i < call.size(); i += 2) {
            entries.put(call.bytes(i), value(call, i + 1));
        }
        return entries;
    }
}
