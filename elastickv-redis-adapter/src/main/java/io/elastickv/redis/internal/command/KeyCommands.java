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
import java.util.LinkedHashSet;
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
        several(table, "del", "write", "keyspace write", "RM delete")
                .doc("Deletes keys; how many there were is returned.", "key [key ...]")
                .does(this::delete);
        several(table, "unlink", "write fast", "keyspace write", "RM delete")
                .since("4.0.0")
                .doc("Deletes keys; the same as DEL.", "key [key ...]")
                .does(this::delete);
        several(table, "exists", "readonly fast", "keyspace read", "RO")
                .doc("Counts which of the keys exist.", "key [key ...]")
                .does(this::countExisting);
        several(table, "touch", "readonly fast", "keyspace read", "RO")
                .since("3.2.1")
                .doc("Counts which of the keys exist.", "key [key ...]")
                .does(this::countExisting);
        table.add("type", 2)
                .flags("readonly fast")
                .categories("keyspace read")
                .key(1, 0, 1, "RO")
                .doc("Tells whether a key holds a string or does not exist.", "key")
                .does(call -> call.reply(
                        server.store().describe(call.bytes(1)),
                        found -> Reply.simple(found.isPresent() ? "string" : "none")));
        table.add("rename", 3)
                .flags("write")
                .categories("keyspace write")
                .key(1, 0, 1, "RW access delete")
                .key(2, 0, 1, "OW update")
                .sharingASlot()
                .doc("Moves a value to another key of its slot.", "key newkey")
                .does(call -> rename(call, true));
        table.add("renamenx", 3)
                .flags("write fast")
                .categories("keyspace write")
                .key(1, 0, 1, "RW access delete")
                .key(2, 0, 1, "OW insert")
                .sharingASlot()
                .doc("Moves a value to another key of its slot if that does not exist.", "key newkey")
                .does(call -> rename(call, false));
        table.add("copy", -3)
                .flags("write denyoom")
                .categories("keyspace write")
                .key(1, 0, 1, "RO access")
                .key(2, 0, 1, "OW update")
                .sharingASlot()
                .since("6.2.0")
                .doc(
                        "Writes a key's value and expiry to another key of its slot.",
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
        call.reply(retry.untilDone(
                from,
                () -> readBoth(from, to, !overwrite).thenCompose(read -> {
                    Optional<VersionedValue> source = read.results().get(0).previous();
                    if (source.isEmpty()) {
                        throw noSuchKey();
                    }
                    if (!overwrite && read.results().get(1).previous().isPresent()) {
                        return CompletableFuture.completedFuture(Optional.of(Replies.ZERO));
                    }
                    return transfer(from, source.get(), to, overwrite, true)
                            .thenApply(done ->
                                    done ? Optional.of(overwrite ? Replies.OK : Replies.ONE) : Optional.empty());
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
        call.reply(retry.untilDone(
                to,
                () -> readBoth(from, to, !overwrite).thenCompose(read -> {
                    Optional<VersionedValue> source = read.results().get(0).previous();
                    if (source.isEmpty()
                            || (!overwrite && read.results().get(1).previous().isPresent())) {
                        return CompletableFuture.completedFuture(Optional.of(Replies.ZERO));
                    }
                    return transfer(from, source.get(), to, overwrite, false)
                            .thenApply(done -> done ? Optional.of(Replies.ONE) : Optional.empty());
                })));
    }

    /**
     * Writes to {@code to} what was read from {@code from}, if that has not changed. A change of the expiry alone does not
     * change the version: so the expiry is read once more in the same step, and put right at the destination if it was
     * another by then.
     */
    private CompletableFuture<Boolean> transfer(
            Bytes from, VersionedValue source, Bytes to, boolean overwrite, boolean delete) {
        Batch.Builder batch = Batch.builder().require(from, Condition.versionIs(source.version()));
        if (!overwrite) {
            batch.require(to, Condition.absent());
        }
        batch.get(from).put(to, source.value(), PutOptions.defaults().expiry(expiryOf(source)));
        if (delete) {
            batch.delete(from);
        }
        return server.store().execute(batch.build()).thenCompose(result -> {
            if (!result.applied()) {
                return CompletableFuture.completedFuture(false);
            }
            VersionedValue moved = result.results().get(0).previous().orElse(source);
            if (moved.expiresAt().equals(source.expiresAt())) {
                return CompletableFuture.completedFuture(true);
            }
            Batch correction = Batch.builder()
                    .require(to, Condition.versionIs(result.results().get(1).version()))
                    .expire(to, expiryOf(moved))
                    .build();
            return server.store().execute(correction).thenApply(ignored -> true);
        });
    }

    private CompletableFuture<BatchResult> readBoth(Bytes first, Bytes second, boolean secondToo) {
        Batch.Builder batch = Batch.builder().get(first);
        return server.store().execute((secondToo ? batch.get(second) : batch).build());
    }

    private static Expiry expiryOf(VersionedValue value) {
        return value.expiresAt().map(Expiry::at).orElse(Expiry.never());
    }

    private static void checkDatabase(long database) {
        if (database < 0 || database >= DATABASES) {
            throw new CommandException("ERR DB index is out of range");
        }
        if (database != 0) {
            throw new CommandException("ERR Copying to another database is not allowed in cluster mode");
        }
    }

    private static CommandException noSuchKey() {
        return new CommandException("ERR no such key");
    }
}
