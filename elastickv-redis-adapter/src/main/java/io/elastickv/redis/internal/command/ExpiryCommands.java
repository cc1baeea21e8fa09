package io.elastickv.redis.internal.command;

import io.elastickv.api.Batch;
import io.elastickv.api.Bytes;
import io.elastickv.api.Condition;
import io.elastickv.api.Expiry;
import io.elastickv.api.ExpiryCondition;
import io.elastickv.api.KeyInfo;
import io.elastickv.redis.internal.resp.Replies;
import io.elastickv.redis.internal.resp.Reply;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.ToLongFunction;

/** When keys expire. */
final class ExpiryCommands {

    private static final long NO_KEY = -2;
    private static final long NO_EXPIRY = -1;

    private final Server server;
    private final Retry retry;

    ExpiryCommands(Server server, Retry retry) {
        this.server = server;
        this.retry = retry;
    }

    void define(CommandTable table) {
        expire(table, "expire", true, false, "1.0.0", "Lets a key expire after some seconds.", "seconds");
        expire(table, "pexpire", false, false, "2.6.0", "Lets a key expire after some milliseconds.", "milliseconds");
        expire(table, "expireat", true, true, "1.2.0", "Lets a key expire at a time in seconds.", "unix-time-seconds");
        expire(
                table,
                "pexpireat",
                false,
                true,
                "2.6.0",
                "Lets a key expire at a time in milliseconds.",
                "unix-time-milliseconds");
        read(table, "ttl", "1.0.0", "Tells how many seconds a key has left.", info -> seconds(timeToLive(info)))
                .tips("nondeterministic_output");
        read(table, "pttl", "2.6.0", "Tells how many milliseconds a key has left.", ExpiryCommands::timeToLive)
                .tips("nondeterministic_output");
        read(table, "expiretime", "7.0.0", "Tells when a key expires, in seconds.", info -> seconds(expiresAt(info)));
        read(table, "pexpiretime", "7.0.0", "Tells when a key expires, in milliseconds.", ExpiryCommands::expiresAt);
        table.add("persist", 2)
                .flags("write fast")
                .categories("keyspace write")
                .key(1, 0, 1, "RW update")
                .since("2.2.0")
                .doc("Lets a key live forever again.", "key")
                .does(call -> call.reply(server.store().persist(call.bytes(1)), done -> Reply.integer(done)));
    }

    private void expire(
            CommandTable table,
            String name,
            boolean seconds,
            boolean absolute,
            String since,
            String summary,
            String argument) {
        table.add(name, -3)
                .flags("write fast")
                .categories("keyspace write")
                .key(1, 0, 1, "RW update")
                .since(since)
                .doc(summary, "key " + argument + " [NX|XX|GT|LT]")
                .does(call -> expire(call, name, seconds, absolute));
    }

    private CommandSpec read(
            CommandTable table, String name, String since, String summary, ToLongFunction<KeyInfo> time) {
        return table.add(name, 2)
                .flags("readonly fast")
                .categories("keyspace read")
                .key(1, 0, 1, "RO access")
                .since(since)
                .doc(summary, "key")
                .does(call -> call.reply(
                        server.store().describe(call.bytes(1)),
                        found -> Reply.integer(found.isPresent() ? time.applyAsLong(found.get()) : NO_KEY)));
    }

    private static long timeToLive(KeyInfo info) {
        return info.timeToLive().map(Duration::toMillis).orElse(NO_EXPIRY);
    }

    private static long expiresAt(KeyInfo info) {
        return info.expiresAt().map(Instant::toEpochMilli).orElse(NO_EXPIRY);
    }

    /** To the nearest second, as Redis. */
    private static long seconds(long millis) {
        return millis < 0 ? millis : millis / 1000 + (millis % 1000 >= 500 ? 1 : 0);
    }

    private void expire(Call call, String name, boolean inSeconds, boolean absolute) {
        boolean nx = false;
        boolean xx = false;
        boolean gt = false;
        boolean lt = false;
        for (int i = 3; i < call.size(); i++) {
            if (call.is(i, "nx")) {
                nx = true;
            } else if (call.is(i, "xx")) {
                xx = true;
            } else if (call.is(i, "gt")) {
                gt = true;
            } else if (call.is(i, "lt")) {
                lt = true;
            } else {
                throw new CommandException("ERR Unsupported option "
                        + new String(call.raw(i), java.nio.charset.StandardCharsets.ISO_8859_1));
            }
        }
        if (nx && (xx || gt || lt)) {
            throw new CommandException("ERR NX and XX, GT or LT options at the same time are not compatible");
        }
        if (gt && lt) {
            throw new CommandException("ERR GT and LT options at the same time are not compatible");
        }
        Bytes key = call.bytes(1);
        Expiry expiry = expiry(call.integer(2), name, inSeconds, absolute);
        if (xx && lt) {
            call.reply(retry.untilDone(key, () -> ifAnyAndEarlier(key, expiry)));
            return;
        }
        // A key without expiry is never earlier: GT says XX already.
        ExpiryCondition condition = nx
                ? ExpiryCondition.IF_NONE
                : gt
                        ? ExpiryCondition.IF_LATER
                        : lt ? ExpiryCondition.IF_EARLIER : xx ? ExpiryCondition.IF_ANY : ExpiryCondition.ALWAYS;
        call.reply(server.store().expire(key, expiry, condition), done -> Reply.integer(done));
    }

    private Expiry expiry(long time, String name, boolean inSeconds, boolean absolute) {
        if (inSeconds && (time > Long.MAX_VALUE / 1000 || time < Long.MIN_VALUE / 1000)) {
            throw SetOptions.invalidTime(name);
        }
        long millis = inSeconds ? time * 1000 : time;
        long now = absolute ? 0 : server.clock().millis();
        if (millis > Long.MAX_VALUE - now) {
            throw SetOptions.invalidTime(name);
        }
        if (millis <= 0) {
            // Past by every clock of the cluster, whatever the difference between them.
            return Expiry.at(Instant.ofEpochMilli(1));
        }
        return absolute ? Expiry.at(Instant.ofEpochMilli(millis)) : Expiry.after(Duration.ofMillis(millis));
    }

    /** The store has no such condition: look, then change if the key is still the same. */
    private CompletableFuture<Optional<Reply>> ifAnyAndEarlier(Bytes key, Expiry expiry) {
        return server.store().describe(key).thenCompose(found -> {
            if (found.isEmpty() || found.get().timeToLive().isEmpty() || !earlier(expiry, found.get())) {
                return CompletableFuture.completedFuture(Optional.of(Replies.ZERO));
            }
            Batch batch = Batch.builder()
                    .require(key, Condition.versionIs(found.get().version()))
                    .expire(key, expiry)
                    .build();
            return server.store()
                    .execute(batch)
                    .thenApply(result -> result.applied() ? Optional.of(Replies.ONE) : Optional.<Reply>empty());
        });
    }

    private static boolean earlier(Expiry expiry, KeyInfo info) {
        if (expiry instanceof Expiry.After after) {
            return info.timeToLive().isPresent()
                    && after.duration().compareTo(info.timeToLive().get()) < 0;
        }
        return expiry instanceof Expiry.At at
                && info.expiresAt().isPresent()
                && at.instant().isBefore(info.expiresAt().get());
    }
}
