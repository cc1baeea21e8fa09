package io.elastickv.redis.internal.command;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.api.Bytes;
import io.elastickv.api.UnsafeBytes;
import io.elastickv.redis.internal.resp.Reply;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * One command on its way: what the client sent, and where the reply goes. Handlers run on the connection's event loop
 * and must not block; exactly one of {@code reply} and {@code fail} is called once, from any thread.
 */
public abstract class Call {

    private final byte[][] arguments;

    /** The arguments, the command's name first; they pass to the call and must not be changed afterwards. */
    protected Call(byte[][] arguments) {
        this.arguments = arguments;
    }

    /** The client that sent it. */
    public abstract ClientState client();

    /** Ends the call. */
    public abstract void reply(Reply reply);

    /** Ends the call with the error reply that stands for {@code failure}. */
    public final void fail(Throwable failure) {
        reply(Failures.replyTo(failure));
    }

    /** Ends the call when {@code future} completes. */
    public final <T> void reply(CompletableFuture<T> future, Function<? super T, Reply> toReply) {
        Futures.whenDone(future, (value, failure) -> {
            if (failure != null) {
                fail(failure);
                return;
            }
            Reply reply;
            try {
                reply = toReply.apply(value);
            } catch (Throwable unexpected) {
                fail(unexpected);
                return;
            }
            reply(reply);
        });
    }

    /** Ends the call when {@code future} completes. */
    public final void reply(CompletableFuture<Reply> future) {
        reply(future, Function.identity());
    }

    /** The number of arguments, the command's name included. */
    public final int size() {
        return arguments.length;
    }

    /** All arguments, the command's name first; not to be changed. */
    public final byte[][] arguments() {
        return arguments;
    }

    /** An argument; not to be changed. */
    public final byte[] raw(int index) {
        return arguments[index];
    }

    /** An argument as a key or a value. */
    public final Bytes bytes(int index) {
        return UnsafeBytes.wrap(arguments[index]);
    }

    /** An argument as text. */
    public final String text(int index) {
        return new String(arguments[index], UTF_8);
    }

    /** Whether an argument is this word; {@code word} is in lower case ASCII. */
    public final boolean is(int index, String word) {
        return Words.equal(arguments[index], word);
    }

    /**
     * An argument as a 64-bit integer.
     *
     * @throws CommandException if it is none
     */
    public final long integer(int index) {
        return integer(index, "ERR value is not an integer or out of range");
    }

    /**
     * An argument as a 32-bit integer.
     *
     * @throws CommandException if it is none
     */
    public final int int32(int index) {
        long value = integer(index);
        if (value < Integer.MIN_VALUE || value > Integer.MAX_VALUE) {
            throw new CommandException(
                    "ERR value is out of range, value must between " + Integer.MIN_VALUE + " and " + Integer.MAX_VALUE);
        }
        return (int) value;
    }

    /** An argument as a 64-bit integer; {@code error} is the reply if it is none. */
    public final long integer(int index, String error) {
        long[] value = new long[1];
        if (!Words.parseLong(arguments[index], value)) {
            throw new CommandException(error);
        }
        return value[0];
    }
}
