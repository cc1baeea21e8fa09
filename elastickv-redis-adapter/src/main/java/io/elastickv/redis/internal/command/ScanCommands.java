package io.elastickv.redis.internal.command;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.elastickv.api.Bytes;
import io.elastickv.api.ScanCursor;
import io.elastickv.api.ScanPage;
import io.elastickv.api.UnsafeBytes;
import io.elastickv.redis.internal.resp.Replies;
import io.elastickv.redis.internal.resp.Reply;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Commands on all keys. */
final class ScanCommands {

    /** The most keys that the store returns at once. */
    private static final int PAGE = 10_000;

    private static final int DEFAULT_COUNT = 10;

    /** A call of SCAN may read so many pages, and one more for each full page asked for. */
    private static final int MIN_PAGES = 64;

    private static final Pattern CURSOR = Pattern.compile("[+-]?[0-9]{1,40}");

    private final Server server;

    ScanCommands(Server server) {
        this.server = server;
    }

    void define(CommandTable table) {
        table.add("scan", -2)
                .flags("readonly")
                .categories("keyspace read")
                .tips("nondeterministic_output request_policy:special")
                .since("2.8.0")
                .complexity("O(1) for every call. O(N) for a complete iteration, N being the number of keys.")
                .doc("Returns some keys and where to go on.", "cursor [MATCH pattern] [COUNT count] [TYPE type]")
                .alone()
                .does(this::scan);
        table.add("keys", 2)
                .flags("readonly")
                .categories("keyspace read dangerous")
                .tips("request_policy:all_shards nondeterministic_output_order")
                .complexity("O(N) with N being the number of keys in the database.")
                .doc("Returns the keys that a pattern matches.", "pattern")
                .alone()
                .does(this::keys);
        table.add("randomkey", 1)
                .flags("readonly")
                .categories("keyspace read")
                .tips("request_policy:all_shards nondeterministic_output")
                .doc("Returns some key.", "")
                .alone()
                .does(call -> call.reply(
                        server.store().randomKey(),
                        found -> found.isPresent() ? Reply.bulk(UnsafeBytes.array(found.get())) : Replies.NULL));
        table.add("dbsize", 1)
                .flags("readonly fast")
                .categories("keyspace read")
                .tips("request_policy:all_shards response_policy:agg_sum")
                .group("server")
                .doc("Counts the keys of the whole cluster.", "")
                .alone()
                .does(call -> call.reply(server.store().size(), Reply::integer));
        flush(table, "flushall", "Deletes everything.");
        flush(table, "flushdb", "Deletes everything: there is one database.");
    }

    private void flush(CommandTable table, String name, String summary) {
        table.add(name, -1)
                .flags("write")
                .categories("keyspace write dangerous")
                .tips("request_policy:all_shards response_policy:all_succeeded")
                .group("server")
                .complexity("O(N) where N is the total number of keys.")
                .doc(summary, "[ASYNC|SYNC]")
                .alone()
                .does(this::flush);
    }

    private void flush(Call call) {
        if (call.size() > 2 || (call.size() == 2 && !call.is(1, "async") && !call.is(1, "sync"))) {
            throw CommandException.syntax();
        }
        call.reply(server.store().clear(), done -> Replies.OK);
    }

    private void keys(Call call) {
        Glob pattern = Glob.of(call.raw(1), false);
        List<Reply> keys = new ArrayList<>();
        call.reply(
                pages(ScanCursor.START, pattern, keys, Long.MAX_VALUE, true, Integer.MAX_VALUE),
                next -> Reply.array(keys));
    }

    private void scan(Call call) {
        Optional<ScanCursor> cursor = cursor(call.raw(1));
        Glob pattern = null;
        long count = DEFAULT_COUNT;
        boolean strings = true;
        for (int i = 2; i < call.size(); i += 2) {
            boolean more = i + 1 < call.size();
            if (more && call.is(i, "count")) {
                count = call.integer(i + 1);
                if (count < 1) {
                    throw CommandException.syntax();
                }
            } else if (more && call.is(i, "match")) {
                pattern = Glob.of(call.raw(i + 1), false);
            } else if (more && call.is(i, "type")) {
                strings = call.is(i + 1, "string");
            } else {
                throw CommandException.syntax();
            }
        }
        List<Reply> keys = new ArrayList<>();
        if (cursor.isEmpty()) {
            call.reply(Reply.array(Reply.bulk("0"), Replies.EMPTY_ARRAY));
            return;
        }
        call.reply(
                pages(cursor.get(), pattern, keys, count, strings, (int)
                        Math.min(MIN_PAGES + count / PAGE, Integer.MAX_VALUE)),
                next -> Reply.array(Reply.bulk(Long.toString(next.value())), Reply.array(keys)));
    }

    /**
     * Reads pages until {@code count} keys were looked at, and collects those that match. The store's pages end with each
     * shard: some more are read, so that a few keys on many shards come with one call, as clients of Redis are used to.
     */
    private CompletableFuture<ScanCursor> pages(
            ScanCursor cursor, @Nullable Glob pattern, List<Reply> keys, long count, boolean wanted, int maxPages) {
        return server.store().scan(cursor, (int) Math.min(count, PAGE)).thenCompose(page -> {
            if (wanted) {
                collect(page, pattern, keys);
            }
            boolean all = count == Long.MAX_VALUE;
            long left = all ? count : count - page.keys().size();
            return page.isLast() || left <= 0 || (!all && maxPages <= 1)
                    ? CompletableFuture.completedFuture(page.next())
                    : pages(page.next(), pattern, keys, left, wanted, maxPages - 1);
        });
    }

    private static void collect(ScanPage page, @Nullable Glob pattern, List<Reply> keys) {
        for (Bytes key : page.keys()) {
            byte[] bytes = UnsafeBytes.array(key);
            if (pattern == null || pattern.matchesAll() || pattern.matches(bytes)) {
                keys.add(Reply.bulk(bytes));
            }
        }
    }

    /** As strtoul reads it: nothing is zero, and a minus sign is taken modulo 2^64. */
    private static Optional<ScanCursor> cursor(byte[] bytes) {
        String text = new String(bytes, ISO_8859_1);
        if (text.isEmpty()) {
            return Optional.of(ScanCursor.START);
        }
        if (!CURSOR.matcher(text).matches()) {
            throw new CommandException("ERR invalid cursor");
        }
        BigInteger value = new BigInteger(text.startsWith("+") ? text.substring(1) : text);
        if (value.abs().bitLength() > Long.SIZE) {
            throw new CommandException("ERR invalid cursor");
        }
        // No scan of this store gives a cursor beyond a signed long: there is nothing after it.
        return value.signum() < 0 || value.bitLength() >= Long.SIZE
                ? Optional.empty()
                : Optional.of(new ScanCursor(value.longValueExact()));
    }
}
