package io.elastickv.redis.internal.command;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.elastickv.api.Bytes;
import io.elastickv.api.Condition;
import io.elastickv.api.Expiry;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.PutOptions;
import io.elastickv.api.UnsafeBytes;
import io.elastickv.redis.internal.resp.Reply;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Values that are numbers. */
final class NumberCommands {

    private final Server server;
    private final Retry retry;

    NumberCommands(Server server, Retry retry) {
        this.server = server;
        this.retry = retry;
    }

    void define(CommandTable table) {
        number(table, "incr", 2)
                .doc("Adds one to an integer; a missing key counts as 0.", "key")
                .mergesAll(call -> true, calls -> addAll(calls, 1))
                .does(call -> add(call, 1));
        number(table, "decr", 2)
                .doc("Subtracts one from an integer; a missing key counts as 0.", "key")
                .mergesAll(call -> true, calls -> addAll(calls, -1))
                .does(call -> add(call, -1));
        number(table, "incrby", 3)
                .doc("Adds to an integer; a missing key counts as 0.", "key increment")
                .does(call -> add(call, call.integer(2)));
        number(table, "decrby", 3)
                .doc("Subtracts from an integer; a missing key counts as 0.", "key decrement")
                .does(call -> {
                    long decrement = call.integer(2);
                    if (decrement == Long.MIN_VALUE) {
                        throw new CommandException("ERR decrement would overflow");
                    }
                    add(call, -decrement);
                });
        number(table, "incrbyfloat", 3)
                .since("2.6.0")
                .doc("Adds to a floating point number; a missing key counts as 0.", "key increment")
                .does(this::addFloat);
    }

    private static CommandSpec number(CommandTable table, String name, int arity) {
        return StringCommands.string(table, name, arity, "write denyoom fast", "write string", "RW access update");
    }

    private void add(Call call, long delta) {
        call.reply(server.store().increment(call.bytes(1), delta), Reply::integer);
    }

    /** One addition of the sum; each call is told the value that it would have seen in its turn. */
    private void addAll(List<? extends Call> calls, long delta) {
        int count = calls.size();
        Futures.whenDone(server.store().increment(calls.get(0).bytes(1), delta * count), (sum, failure) -> {
            if (failure == null) {
                for (int i = 0; i < count; i++) {
                    calls.get(i).reply(Reply.integer(sum - delta * (count - 1 - i)));
                }
            } else if (Failures.cause(failure) instanceof InvalidRequestException invalid
                    && invalid.reason() == InvalidRequestException.Reason.INTEGER_OVERFLOW) {
                // Some of them may still fit.
                addOneByOne(calls, 0, delta);
            } else {
                calls.forEach(call -> call.fail(failure));
            }
        });
    }

    private void addOneByOne(List<? extends Call> calls, int index, long delta) {
        if (index == calls.size()) {
            return;
        }
        Call call = calls.get(index);
        Futures.whenDone(server.store().increment(call.bytes(1), delta), (sum, failure) -> {
            if (failure == null) {
                call.reply(Reply.integer(sum));
            } else {
                call.fail(failure);
            }
            addOneByOne(calls, index + 1, delta);
        });
    }

    private void addFloat(Call call) {
        Bytes key = call.bytes(1);
        call.reply(retry.untilDone(
                key,
                () -> server.store().get(key).thenCompose(found -> {
                    LongDouble old = LongDouble.ZERO;
                    Condition unchanged = Condition.absent();
                    if (found.isPresent()) {
                        old = LongDouble.parse(UnsafeBytes.array(found.get().value()));
                        unchanged = Condition.versionIs(found.get().version());
                    }
                    LongDouble increment = LongDouble.parse(call.raw(2));
                    byte[] sum = old.plus(increment).toString().getBytes(ISO_8859_1);
                    PutOptions options = PutOptions.defaults().when(unchanged).expiry(Expiry.keep());
                    return put(key, sum, options)
                            .thenApply(done -> done ? Optional.of(Reply.bulk(sum)) : Optional.empty());
                })));
    }

    private CompletableFuture<Boolean> put(Bytes key, byte[] value, PutOptions options) {
        return server.store().put(key, UnsafeBytes.wrap(value), options).thenApply(result -> result.applied());
    }
}
