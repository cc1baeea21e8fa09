package io.elastickv.embedded.internal.raft.core;

import java.util.Arrays;

/**
 * One entry of the replicated log.
 *
 * <p>The payload is shared, not copied: whoever makes an entry gives the array away, and nobody changes it afterwards.
 *
 * @param index position in the log, from 1
 * @param term the term of the leader that created the entry, from 1
 * @param kind what the payload is
 * @param payload the bytes, empty for a no-op
 */
@SuppressWarnings("ArrayRecordComponent") // copying every payload would cost more than the rule is worth
public record LogEntry(long index, long term, EntryKind kind, byte[] payload) {

    /** What an entry is taken to cost on top of its payload where bytes are counted: headers and references. */
    static final int OVERHEAD_BYTES = 48;

    /** Compares the payload's bytes, not the arrays' identity. */
    @Override
    public boolean equals(Object other) {
        return other instanceof LogEntry that
                && index == that.index
                && term == that.term
                && kind == that.kind
                && Arrays.equals(payload, that.payload);
    }

    @Override
    public int hashCode() {
        return (Long.hashCode(index) * 31 + Long.hashCode(term)) * 31 + Arrays.hashCode(payload);
    }

    /** Index, term, kind and size; never the payload, which is the user's data. */
    @Override
    public String toString() {
        return index + ":" + term + ":" + kind + "(" + payload.length + ")";
    }

    /** Bytes this entry counts for in windows and caches. */
    int countedBytes() {
        return payload.length + OVERHEAD_BYTES;
    }
}
