package io.elastickv.redis.internal.resp;

import static java.nio.charset.StandardCharsets.UTF_8;

/** The replies that are always the same. */
public final class Replies {

    /** {@code +OK}. */
    public static final Reply OK = new Reply.Encoded("+OK\r\n".getBytes(UTF_8));
    /** {@code +PONG}. */
    public static final Reply PONG = new Reply.Encoded("+PONG\r\n".getBytes(UTF_8));
    /** The integer 0. */
    public static final Reply ZERO = new Reply.Encoded(":0\r\n".getBytes(UTF_8));
    /** The integer 1. */
    public static final Reply ONE = new Reply.Encoded(":1\r\n".getBytes(UTF_8));
    /** No value: a null bulk string in RESP2. */
    public static final Reply NULL = new Reply.Null(false);
    /** No array: a null array in RESP2. */
    public static final Reply NULL_ARRAY = new Reply.Null(true);
    /** An array without elements. */
    public static final Reply EMPTY_ARRAY = new Reply.Encoded("*0\r\n".getBytes(UTF_8));
    /** Nothing is sent. */
    public static final Reply NONE = new Reply.Encoded(new byte[0]);

    private Replies() {}
}
