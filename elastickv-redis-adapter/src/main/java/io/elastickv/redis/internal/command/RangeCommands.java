package io.elastickv.redis.internal.command;

import io.elastickv.api.Bytes;
import io.elastickv.api.Condition;
import io.elastickv.api.Expiry;
import io.elastickv.api.KeyInfo;
import io.elastickv.api.PutOptions;
import io.elastickv.api.UnsafeBytes;
import io.elastickv.redis.internal.resp.Reply;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** Reading and writing parts of values. */
final class RangeCommands {

    private static final byte[] NOTHING = new byte[0];

    private final Server server;
    private final Retry retry;

    RangeCommands(Server server, Retry retry) {
        this.server = server;
        this.retry = retry;
    }

    void define(CommandTable table) {
        StringCommands.string(table, "append", 3, "write denyoom fast", "write string", "RW insert")
                .since("2.0.0")
                .doc("Adds a string at the end of a value; a missing key counts as empty.", "key value")
                .does(this::append);
        StringCommands.string(table, "strlen", 2, "readonly fast", "read string", "RO")
                .since("2.2.0")
                .doc("Returns the length of a value in bytes.", "key")
                .does(call -> call.reply(
                        server.store().describe(call.bytes(1)),
                        found -> Reply.integer(found.map(KeyInfo::valueLength).orElse(0))));
        StringCommands.string(table, "setrange", 4, "write denyoom", "write string", "RW update")
                .since("2.2.0")
                .complexity("O(N) where N is the length of the value.")
                .doc("Writes into a value at an offset; a gap is filled with zeros.", "key offset value")
                .does(this::setRange);
        StringCommands.string(table, "getrange", 4, "readonly", "read string", "RO access")
                .since("2.4.0")
                .complexity("O(N) where N is the length of the value.")
                .doc("Returns a part of a value.", "key start end")
                .does(this::getRange);
        StringCommands.string(table, "substr", 4, "readonly", "read string", "RO access")
                .complexity("O(N) where N is the length of the value.")
                .doc("The old name of GETRANGE.", "key start end")
                .does(this::getRange);
    }

    private void append(Call call) {
        byte[] suffix = call.raw(2);
        change(call, old -> {
            StringCommands.checkLength((long) old.length + suffix.length);
            byte[] value = Arrays.copyOf(old, old.length + suffix.length);
            System.arraycopy(suffix, 0, value, old.length, suffix.length);
            return value;
        });
    }

    private void setRange(Call call) {
        long offset = call.integer(2);
        if (offset < 0) {
            throw new CommandException("ERR offset is out of range");
        }
        byte[] part = call.raw(3);
        if (part.length == 0) {
            call.reply(
                    server.store().describe(call.bytes(1)),
                    found -> Reply.integer(found.map(KeyInfo::valueLength).orElse(0)));
            return;
        }
        if (offset > Integer.MAX_VALUE) {
            StringCommands.checkLength(Long.MAX_VALUE);
        }
        StringCommands.checkLength(offset + part.length);
        change(call, old -> {
            byte[] value = Arrays.copyOf(old, Math.max(old.length, (int) offset + part.length));
            System.arraycopy(part, 0, value, (int) offset, part.length);
            return value;
        });
    }

    /** Replaces the value, empty if there is none, and replies with its new length; the expiry stays. */
    private void change(Call call, UnaryOperator<byte[]> function) {
        Bytes key = call.bytes(1);
        call.reply(retry.untilDone(
                key,
                () -> server.store().get(key).thenCompose(found -> {
                    byte[] old =
                            found.isPresent() ? UnsafeBytes.array(found.get().value()) : NOTHING;
                    Condition unchanged =
                            found.isPresent() ? Condition.versionIs(found.get().version()) : Condition.absent();
                    byte[] value = function.apply(old);
                    PutOptions options = PutOptions.defaults().when(unchanged).expiry(Expiry.keep());
                    return server.store()
                            .put(key, UnsafeBytes.wrap(value), options)
                            .thenApply(result -> result.applied()
                                    ? Optional.of(Reply.integer(value.length))
                                    : Optional.<Reply>empty());
                })));
    }

    private void getRange(Call call) {
        long start = call.integer(2);
        long end = call.integer(3);
        call.reply(server.store().get(call.bytes(1)), found -> {
            byte[] value = found.isPresent() ? UnsafeBytes.array(found.get().value()) : NOTHING;
            return Reply.bulk(slice(value, start, end));
        });
    }

    /** From {@code start} to {@code end}, both included; negative positions count from the end. */
    static byte[] slice(byte[] value, long start, long end) {
        if (start < 0 && end < 0 && start > end) {
            return NOTHING;
        }
        long from = Math.max(0, start < 0 ? value.length + start : start);
        long to = Math.min(value.length - 1L, Math.max(0, end < 0 ? value.length + end : end));
        if (value.length == 0 || from > to) {
            return NOTHING;
        }
        return from == 0 && to == value.length - 1L ? value : Arrays.copyOfRange(value, (int) from, (int) to + 1);
    }
}
