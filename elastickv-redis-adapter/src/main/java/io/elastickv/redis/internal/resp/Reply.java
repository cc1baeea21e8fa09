package io.elastickv.redis.internal.resp;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;

/**
 * An answer to a client, independent of the protocol's version: {@link ReplyWriter} writes it as RESP2 or RESP3. Arrays
 * of bytes pass to the reply and must not be changed afterwards. Immutable.
 */
public sealed interface Reply {

    /** Bytes that are the same in every version of the protocol. */
    @SuppressWarnings("ArrayRecordComponent") // Replies are not compared.
    record Encoded(byte[] bytes) implements Reply {}

    /** A status line. */
    record Simple(String line) implements Reply {}

    /** An error line, code included; line breaks become spaces. */
    record Failure(String line) implements Reply {}

    /** An integer. */
    record Int(long value) implements Reply {}

    /** A string of bytes. */
    @SuppressWarnings("ArrayRecordComponent")
    record Bulk(byte[] bytes) implements Reply {}

    /** A text for humans: RESP3 marks it as such, in RESP2 it is a string of bytes. */
    @SuppressWarnings("ArrayRecordComponent")
    record Verbatim(byte[] bytes) implements Reply {}

    /** A list. */
    record Array(List<Reply> items) implements Reply {}

    /** A set: a list in RESP2. */
    record Group(List<Reply> items) implements Reply {}

    /** A map, keys and values in turn: a list in RESP2. */
    record Dictionary(List<Reply> keysAndValues) implements Reply {}

    /** Nothing; in RESP2 there are two forms of it. */
    record Null(boolean array) implements Reply {}

    /** An integer. */
    static Reply integer(long value) {
        if (value == 0) {
            return Replies.ZERO;
        }
        return value == 1 ? Replies.ONE : new Int(value);
    }

    /** 1 or 0. */
    static Reply integer(boolean value) {
        return value ? Replies.ONE : Replies.ZERO;
    }

    /** A string of bytes. */
    static Reply bulk(byte[] bytes) {
        return new Bulk(bytes);
    }

    /** A text as a string of bytes. */
    static Reply bulk(String text) {
        return new Bulk(text.getBytes(UTF_8));
    }

    /** A text for humans. */
    static Reply verbatim(String text) {
        return new Verbatim(text.getBytes(UTF_8));
    }

    /** A status line. */
    static Reply simple(String line) {
        return new Simple(line);
    }

    /** An error; the line begins with its code. */
    static Reply error(String line) {
        return new Failure(line);
    }

    /** A list. */
    static Reply array(Reply... items) {
        return new Array(List.of(items));
    }

    /** A list. */
    static Reply array(List<Reply> items) {
        return new Array(items);
    }

    /** A map of names to values. */
    static Reply map(Object... namesAndValues) {
        return new Dictionary(pairs(namesAndValues));
    }

    private static List<Reply> pairs(Object... namesAndValues) {
        List<Reply> items = new ArrayList<>(namesAndValues.length);
        for (Object item : namesAndValues) {
            if (item instanceof Reply reply) {
                items.add(reply);
            } else if (item instanceof Number number) {
                items.add(integer(number.longValue()));
            } else {
                items.add(bulk(item.toString()));
            }
        }
        return items;
    }

    /** Roughly the bytes of memory that the reply holds. */
    default long weight() {
        if (this instanceof Bulk bulk) {
            return 32L + bulk.bytes().length;
        }
        if (this instanceof Array array) {
            return weightOf(array.items());
        }
        if (this instanceof Dictionary dictionary) {
            return weightOf(dictionary.keysAndValues());
        }
        if (this instanceof Group group) {
            return weightOf(group.items());
        }
        if (this instanceof Verbatim verbatim) {
            return 32L + verbatim.bytes().length;
        }
        return 32;
    }

    private static long weightOf(List<Reply> items) {
        long sum = 32;
        for (Reply item : items) {
            sum += item.weight();
        }
        return sum;
    }
}
