package io.elastickv.redis.internal.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes replies one after the other into buffers that are handed on when they are full or at {@link #flush()}. Large
 * strings are not copied. Not thread-safe.
 */
public final class ReplyWriter {

    private static final int BUFFER_BYTES = 16 * 1024;
    private static final int COPY_LIMIT_BYTES = 8 * 1024;
    private static final byte[] MIN_LONG = Long.toString(Long.MIN_VALUE).getBytes(UTF_8);

    private final ByteBufAllocator allocator;
    private final Consumer<ByteBuf> sink;
    private @Nullable ByteBuf buffer;

    /** Hands full buffers, and their ownership, to {@code sink}. */
    public ReplyWriter(ByteBufAllocator allocator, Consumer<ByteBuf> sink) {
        this.allocator = allocator;
        this.sink = sink;
    }

    /** Writes one reply. */
    public void write(Reply reply, boolean resp3) {
        if (reply instanceof Reply.Encoded encoded) {
            room(encoded.bytes().length).writeBytes(encoded.bytes());
        } else if (reply instanceof Reply.Bulk bulk) {
            string(bulk.bytes());
        } else if (reply instanceof Reply.Int integer) {
            number(':', integer.value());
        } else if (reply instanceof Reply.Array array) {
            number('*', array.items().size());
            all(array.items(), resp3);
        } else if (reply instanceof Reply.Null none) {
            room(5).writeCharSequence(resp3 ? "_\r\n" : none.array() ? "*-1\r\n" : "$-1\r\n", UTF_8);
        } else if (reply instanceof Reply.Failure failure) {
            line('-', failure.line());
        } else if (reply instanceof Reply.Simple simple) {
            line('+', simple.line());
        } else if (reply instanceof Reply.Dictionary dictionary) {
            List<Reply> items = dictionary.keysAndValues();
            number(resp3 ? '%' : '*', resp3 ? items.size() / 2 : items.size());
            all(items, resp3);
        } else if (reply instanceof Reply.Group group) {
            number(resp3 ? '~' : '*', group.items().size());
            all(group.items(), resp3);
        } else if (reply instanceof Reply.Verbatim verbatim) {
            verbatim(verbatim.bytes(), resp3);
        }
    }

    /** Hands on what was written. */
    public void flush() {
        ByteBuf full = buffer;
        if (full != null) {
            buffer = null;
            sink.accept(full);
        }
    }

    /** Releases what was written and not handed on. */
    public void discard() {
        ByteBuf unsent = buffer;
        if (unsent != null) {
            buffer = null;
            unsent.release();
        }
    }

    private void all(List<Reply> items, boolean resp3) {
        for (Reply item : items) {
            write(item, resp3);
        }
    }

    private void string(byte[] bytes) {
        number('$', bytes.length);
        if (bytes.length <= COPY_LIMIT_BYTES) {
            room(bytes.length + 2).writeBytes(bytes);
        } else {
            flush();
            sink.accept(Unpooled.wrappedBuffer(bytes));
        }
        end();
    }

    private void verbatim(byte[] bytes, boolean resp3) {
        if (!resp3) {
            string(bytes);
            return;
        }
        number('=', bytes.length + 4L);
        room(bytes.length + 6).writeCharSequence("txt:", UTF_8);
        room(bytes.length + 2).writeBytes(bytes);
        end();
    }

    /**
     * As Redis: line breaks inside a line would break the framing, so they become spaces. Latin-1 gives a client its own
     * bytes back, whatever they mean.
     */
    private void line(char type, String text) {
        byte[] bytes = text.getBytes(ISO_8859_1);
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == '\r' || bytes[i] == '\n') {
                bytes[i] = ' ';
            }
        }
        room(bytes.length + 3).writeByte(type).writeBytes(bytes);
        end();
    }

    private void end() {
        room(2).writeShort('\r' << 8 | '\n');
    }

    private void number(char type, long value) {
        ByteBuf out = room(24).writeByte(type);
        if (value == Long.MIN_VALUE) {
            out.writeBytes(MIN_LONG);
        } else {
            if (value < 0) {
                out.writeByte('-');
            }
            long rest = Math.abs(value);
            int digits = 1;
            for (long power = 10; digits < 19 && rest >= power; power *= 10) {
                digits++;
            }
            int at = out.writerIndex();
            out.writerIndex(at + digits);
            for (int i = at + digits - 1; i >= at; i--) {
                out.setByte(i, (int) ('0' + rest % 10));
                rest /= 10;
            }
        }
        out.writeShort('\r' << 8 | '\n');
    }

    private ByteBuf room(int bytes) {
        ByteBuf out = buffer;
        if (out != null && out.writableBytes() < bytes) {
            flush();
            out = null;
        }
        if (out == null) {
            out = allocator.buffer(Math.max(BUFFER_BYTES, bytes));
            buffer = out;
        }
        return out;
    }
}
