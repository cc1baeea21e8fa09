package io.elastickv.embedded.internal.command;

/** The bytes of a {@link Query} and of a {@link QueryResult}: version (1 byte), type (1 byte), its fields. */
public final class QueryCodec {

    private static final int VERSION = 1;

    private QueryCodec() {}

    /** Encodes into an array of the exact size, which passes to the caller. */
    public static byte[] encode(Query query) {
        return Frames.encode(VERSION, query);
    }

    /** Encodes into an array of the exact size, which passes to the caller. */
    public static byte[] encode(QueryResult result) {
        return Frames.encode(VERSION, result);
    }

    /**
     * Decodes; the result shares nothing with {@code encoded}.
     *
     * @throws MalformedCommandException if these are no bytes of this codec
     */
    public static Query decode(byte[] encoded) {
        return Frames.decode(VERSION, "query", encoded, Query::read);
    }

    /**
     * Decodes; the result shares nothing with {@code encoded}.
     *
     * @throws MalformedCommandException if these are no bytes of this codec
     */
    public static QueryResult decodeResult(byte[] encoded) {
        return Frames.decode(VERSION, "query result", encoded, QueryResult::read);
    }
}
