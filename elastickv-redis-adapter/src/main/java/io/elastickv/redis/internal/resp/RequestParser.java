package io.elastickv.redis.internal.resp;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Takes requests from a stream of bytes: arrays of strings, or lines ("inline commands"). Nothing is allocated for what
 * a client only announces: a string is read when all of it is there. The texts of the errors are those of Redis
 * (networking.c). Not thread-safe.
 */
public final class RequestParser {

    /** What a client may send at most. */
    public record Limits(int maxStringBytes, int maxArguments, long maxRequestBytes) {}

    private static final int MAX_LINE_BYTES = 64 * 1024;
    private static final int UNAUTHENTICATED_ARGUMENTS = 10;
    private static final int UNAUTHENTICATED_STRING_BYTES = 16384;
    private static final int OVERHEAD_PER_ARGUMENT_BYTES = 32;
    private static final byte[][] EMPTY = new byte[0][];

    private final Limits limits;
    private boolean authenticated = true;

    /** Whether an array is being read; then this many strings are missing. */
    private int missing;

    private int stringLength = -1;
    private byte[][] arguments = EMPTY;
    private int count;
    private long requestBytes;

    /** A parser at the beginning of a stream. */
    public RequestParser(Limits limits) {
        this.limits = limits;
    }

    /** Clients that have not given the password yet get narrower limits, as in Redis. */
    public void authenticated(boolean value) {
        authenticated = value;
    }

    /**
     * Reads the next request.
     *
     * @param in where to read; what belongs to an incomplete request may be consumed or left
     * @return the request, at least one argument; null if more bytes are needed
     */
    public byte @Nullable [][] next(ByteBuf in) throws ProtocolException {
        while (true) {
            if (missing == 0) {
                if (!in.isReadable()) {
                    return null;
                }
                if (in.getByte(in.readerIndex()) != '*') {
                    byte @Nullable [][] words = line(in);
                    if (words == null || words.length > 0) {
                        return words;
                    }
                    continue;
                }
                if (!arrayHeader(in)) {
                    return null;
                }
                continue;
            }
            if (!string(in)) {
                return null;
            }
            if (missing == 0) {
                byte[][] request = count == arguments.length ? arguments : Arrays.copyOf(arguments, count);
                arguments = EMPTY;
                return request;
            }
        }
    }

    private boolean arrayHeader(ByteBuf in) throws ProtocolException {
        int end = in.bytesBefore((byte) '\r');
        if (end < 0) {
            if (in.readableBytes() > MAX_LINE_BYTES) {
                throw new ProtocolException("too big mbulk count string");
            }
            return false;
        }
        if (in.readableBytes() < end + 2) {
            return false;
        }
        long length = number(in, in.readerIndex() + 1, in.readerIndex() + end);
        if (length == NOT_A_NUMBER || length > limits.maxArguments()) {
            throw new ProtocolException("invalid multibulk length");
        }
        if (length > UNAUTHENTICATED_ARGUMENTS && !authenticated) {
            throw new ProtocolException("unauthenticated multibulk length");
        }
        in.skipBytes(end + 2);
        if (length > 0) {
            missing = (int) length;
            stringLength = -1;
            arguments = new byte[(int) Math.min(length, 16)][];
            count = 0;
            requestBytes = 0;
        }
        return true;
    }

    private boolean string(ByteBuf in) throws ProtocolException {
        if (stringLength < 0) {
            int end = in.bytesBefore((byte) '\r');
            if (end < 0) {
                if (in.readableBytes() > MAX_LINE_BYTES) {
                    throw new ProtocolException("too big bulk count string");
                }
                return false;
            }
            if (in.readableBytes() < end + 2) {
                return false;
            }
            byte type = in.getByte(in.readerIndex());
            if (type != '$') {
                throw new ProtocolException("expected '$', got '" + (char) (type & 0xff) + "'");
            }
            long length = number(in, in.readerIndex() + 1, in.readerIndex() + end);
            if (length < 0 || length > limits.maxStringBytes()) {
                throw new ProtocolException("invalid bulk length");
            }
            if (length > UNAUTHENTICATED_STRING_BYTES && !authenticated) {
                throw new ProtocolException("unauthenticated bulk length");
            }
            requestBytes += length + OVERHEAD_PER_ARGUMENT_BYTES;
            if (requestBytes > limits.maxRequestBytes()) {
                throw new ProtocolException("too big request");
            }
            in.skipBytes(end + 2);
            stringLength = (int) length;
        }
        if (in.readableBytes() < stringLength + 2) {
            return false;
        }
        byte[] bytes = new byte[stringLength];
        in.readBytes(bytes);
        in.skipBytes(2);
        if (count == arguments.length) {
            arguments = Arrays.copyOf(arguments, Math.min(count * 2, count + missing));
        }
        arguments[count++] = bytes;
        missing--;
        stringLength = -1;
        return true;
    }

    private byte @Nullable [][] line(ByteBuf in) throws ProtocolException {
        int end = in.bytesBefore((byte) '\n');
        if (end < 0) {
            if (in.readableBytes() > MAX_LINE_BYTES) {
                throw new ProtocolException("too big inline request");
            }
            return null;
        }
        byte[] bytes = new byte[end];
        in.readBytes(bytes);
        in.skipBytes(1);
        int length = end > 0 && bytes[end - 1] == '\r' ? end - 1 : end;
        List<byte[]> words = InlineSplitter.split(bytes, length);
        if (words == null) {
            throw new ProtocolException("unbalanced quotes in request");
        }
        return words.toArray(EMPTY);
    }

    private static final long NOT_A_NUMBER = Long.MIN_VALUE;

    /** As strict as Redis' string2ll: no plus sign, no leading zeros, no spaces. Far beyond an int is enough. */
    private static long number(ByteBuf in, int from, int to) {
        int at = from;
        boolean negative = at < to && in.getByte(at) == '-';
        if (negative) {
            at++;
        }
        int digits = to - at;
        if (digits < 1 || digits > 18) {
            return NOT_A_NUMBER;
        }
        long value = 0;
        for (int i = at; i < to; i++) {
            int digit = in.getByte(i) - '0';
            if (digit < 0 || digit > 9) {
                return NOT_A_NUMBER;
            }
            value = value * 10 + digit;
        }
        boolean leadingZero = in.getByte(at) == '0' && (digits > 1 || negative);
        if (leadingZero) {
            return NOT_A_NUMBER;
        }
        return negative ? -value : value;
    }
}
