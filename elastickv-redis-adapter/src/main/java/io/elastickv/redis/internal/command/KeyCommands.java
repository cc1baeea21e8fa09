package io.elastickv.redis.internal.command;

import io.elastickv.api.Batch;
import io.elastickv.api.BatchResult;
import io.elastickv.api.Bytes;
import io.elastickv.api.Condition;
import io.elastickv.api.Expiry;
import io.elastickv.api.PutOptions;
import io.elastickv.api.VersionedValue;
import io.elastickv.redis.internal.resp.Replies;
import io.elastickv.redis.internal.resp.Reply;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** Commands on keys, whatever their value. */
final class KeyCommands {

    private static final int FAN_OUT = 64;

    /** As many as Redis has unless told otherwise; which of its errors comes depends on it. */
    private static final int DATABASES = 16;

    private final Server server;
    private final Retry retry;

    KeyCommands(Server server, Retry retry) {
        this.server = server;
        this.retry = retry;
    }

    void define(CommandTable table) {
        several(table, "del", "write", "keyspace write", "RM delete").doc("Deletes one or more keys.", "key [key ...]")
                .does(this::delete);
        several(table, "unlink", "write fast", "keyspace write", "RM delete")
                .since("4.0.0")
                .doc("Asynchronously deletes one or more keys.", "key [key ...]")
                .does(this::delete);
        several(table, "exists", "readonly fast", "keyspace read", "RO")
                .doc("Determines whether one or more keys exist.", "key [key ...]")
                .does(this::countExisting);
        several(table, "touch", "readonly fast", "keyspace read", "RO")
                .since("3.2.1")
                .doc("Returns the number of existing keys out of those specified.", "key [key ...]")
                .does(this::countExisting);
        table.add("type", 2)
                .flags("readonly fast")
                .categories("keyspace read")
                .key(1, 0, 1, "RO")
                .doc("Determines the type of value stored at a key.", "key")
                .does(call -> call.reply(
                        server.store().describe(call.bytes(1)),
                        found -> Reply.simple(found.isPresent() ? "string" : "none")));
        table.add("rename", 3)
                .flags("write")
                .categories("keyspace write")
                .key(1, 0, 1, "RW access delete")
                .key(2, 0, 1, "OW update")
                .sharingASlot()
                .doc("Renames a key and overwrites the destination.", "key newkey")
                .does(call -> rename(call, true));
        table.add("renamenx", 3)
                .flags("write fast")
                .categories("keyspace write")
                .key(1, 0, 1, "RW access delete")
                .key(2, 0, 1, "OW insert")
                .sharingASlot()
                .doc("Renames a key only when the target key name doesn't exist.", "key newkey")
                .does(call -> rename(call, false));
        table.add("copy", -3)
                .flags("write denyoom")
                .categories("keyspace write")
                .key(1, 0, 1, "RO access")
                .key(2, 0, 1, "OW update")
                .sharingASlot()
                .since("6.2.0")
                .doc(
                        "Copies the value of a key to a new key.",
                        "source destination [DB destination-db] [REPLACE]")
                .does(this::copy);
    }

    private static CommandSpec several(
            CommandTable table, String name, String flags, String categories, String keyFlags) {
        return table.add(name, -2)
                .flags(flags)
                .categories(categories)
                .key(1, -1, 1, keyFlags)
                .tips("request_policy:multi_shard response_policy:agg_sum")
                .complexity("O(N) where N is the number of keys.");
    }

    private void delete(Call call) {
        if (call.size() == 2) {
            call.reply(server.store().delete(call.bytes(1)), existed -> Reply.integer(existed));
            return;
        }
        Set<Bytes> keys = new LinkedHashSet<>();
        for (int i = 1; i < call.size(); i++) {
            keys.add(call.bytes(i));
        }
        call.reply(server.store().deleteAll(keys), Reply::integer);
    }

    /** A key given twice counts twice. */
    private void countExisting(Call call) {
        call.reply(countExisting(call, 1, 0), Reply::integer);
    }

    private CompletableFuture<Long> countExisting(Call call, int from, long before) {
        if (from >= call.size()) {
            return CompletableFuture.completedFuture(before);
        }
        int to = Math.min(call.size(), from + FAN_OUT);
        CompletableFuture<Long> count = CompletableFuture.completedFuture(before);
        for (int i = from; i < to; i++) {
            count = count.thenCombine(
                    server.store().describe(call.bytes(i)), (sum, found) -> found.isPresent() ? sum + 1 : sum);
        }
        return count.thenCompose(sum -> countExisting(call, to, sum));
    }

    private void rename(Call call, boolean overwrite) {
        Bytes from = call.bytes(1);
        Bytes to = call.bytes(2);
        if (from.equals(to)) {
            call.reply(server.store().describe(from), found -> {
                if (found.isEmpty()) {
                    throw noSuchKey();
                }
                return overwrite ? Replies.OK : Replies.ZERO;
            });
            return;
        }
        call.reply(retry.untilDone(from, () -> readBoth(from, to, !overwrite).thenCompose(read -> {
            Optional<VersionedValue> source = read.results().get(0).previous();
            if (source.isEmpty()) {
                throw noSuchKey();
            }
            if (!overwrite && read.results().get(1).previous().isPresent()) {
                return CompletableFuture.completedFuture(Optional.of(Replies.ZERO));
            }
            Batch.Builder batch = Batch.builder()
                    .require(from, Condition.versionIs(source.get().version()));
            if (!overwrite) {
                batch.require(to, Condition.absent());
            }
            batch.put(to, source.get().value(), keepingExpiry(source.get())).delete(from);
            return server.store().execute(batch.build()).thenApply(result -> result.applied()
                    ? Optional.of(overwrite ? Replies.OK : Replies.ONE)
                    : Optional.<Reply>empty());
        })));
    }

    private void copy(Call call) {
        boolean replace = false;
        for (int i = 3; i < call.size(); i++) {
            if (call.is(i, "replace")) {
                replace = true;
            } else if (call.is(i, "db") && i + 1 < call.size()) {
                checkDatabase(call.int32(++i));
            } else {
                throw CommandException.syntax();
            }
        }
        Bytes from = call.bytes(1);
        Bytes to = call.bytes(2);
        if (from.equals(to)) {
            throw new CommandException("ERR source and destination objects are the same");
        }
        boolean overwrite = replace;
        call.reply(retry.untilDone(to, () -> readBoth(from, to, !overwrite).thenCompose(read -> {
            Optional<VersionedValue> source = read.results().get(0).previous();
            if (source.isEmpty()
                    || (!overwrite && read.results().get(1).previous().isPresent())) {
                return CompletableFuture.completedFuture(Optional.of(Replies.ZERO));
            }
            Batch.Builder batch = Batch.builder()
                    .require(from, Condition.versionIs(source.get().version()));
            if (!overwrite) {
                batch.require(to, Condition.absent());
            }
            batch.put(to, source.get().value(), keepingExpiry(source.get()));
            return server.store().execute(batch.build()).thenApply(result -> result.applied()
                    ? Optional.of(Replies.ONE)
                    : Optional.<Reply>empty());
        })));
    }

    private CompletableFuture<BatchResult> readBoth(Bytes first, Bytes second, boolean secondToo) {
        Batch.Builder batch = Batch.builder().get(first);
        return server.store().execute((secondToo ? batch.get(second) : batch).build());
    }

    private static PutOptions keepingExpiry(VersionedValue value) {
        return value.expiresAt().isPresent()
                ? PutOptions.defaults().expiry(Expiry.at(value.expiresAt().get()))
                : PutOptions.defaults();
    }

    private static void checkDatabase(long database) {
        if (database < 0 || database >= DATABASES) {
            throw new CommandException("ERR DB index is out of range");
        }
        if (database != 0) {
            throw new CommandException("ERR Copying to another database is not allowed in cluster mode");
        }
    }

    static List<Bytes> keys(Call call) {
        List<Bytes> keys = new ArrayList<>(call.size() - 1);
        for (int i = 1; i < call.size(); i++) {
            keys.add(call.bytes(i));
        }
        return keys;
    }

    private static CommandException noSuchKey() {
        return new CommandException("ERR no such key");
    }
}
