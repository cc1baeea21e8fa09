package io.elastickv.embedded.internal.raft.core;

import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.MemoryLost;
import io.elastickv.embedded.internal.raft.core.RaftMessage.PreVoteRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.PreVoteResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.ReadIndexRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.ReadIndexResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.RecoverUpTo;
import io.elastickv.embedded.internal.raft.core.RaftMessage.SnapshotRequired;
import io.elastickv.embedded.internal.raft.core.RaftMessage.TimeoutNow;
import io.elastickv.embedded.internal.raft.core.RaftMessage.VoteRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.VoteResponse;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Messages as bytes.
 *
 * <p>A message is {@code version (1 byte) | type (1 byte) | fields}. Numbers are unsigned LEB128 varints, contexts 8
 * bytes big-endian, truth values 0 or 1. Entries are {@code count, then per entry: term, kind (1 byte), length, payload};
 * an entry's index follows from its place. Every length is checked against what is left before anything is allocated.
 *
 * <p>A message knows its own end: several may follow each other in one buffer.
 */
public final class RaftMessageCodec {

    /** The only version so far; the first byte of every message. */
    public static final byte VERSION = 1;

    private static final byte PRE_VOTE_REQUEST = 1;
    private static final byte PRE_VOTE_RESPONSE = 2;
    private static final byte VOTE_REQUEST = 3;
    private static final byte VOTE_RESPONSE = 4;
    private static final byte APPEND_REQUEST = 5;
    private static final byte APPEND_RESPONSE = 6;
    private static final byte TIMEOUT_NOW = 7;
    private static final byte READ_INDEX_REQUEST = 8;
    private static final byte READ_INDEX_RESPONSE = 9;
    private static final byte SNAPSHOT_REQUIRED = 10;
    private static final byte MEMORY_LOST = 11;
    private static final byte RECOVER_UP_TO = 12;

    /** Term, kind and length take at least a byte each. */
    private static final int MIN_ENTRY_BYTES = 3;

    private RaftMessageCodec() {}

    /** The number of bytes {@link #encode} will write. */
    public static int encodedSize(RaftMessage message) {
        int size = 2 + varintSize(message.term());
        if (message instanceof AppendRequest m) {
            size += varintSize(m.prevIndex()) + varintSize(m.prevTerm()) + varintSize(m.commitIndex());
            size += varintSize(m.round());
            List<LogEntry> entries = m.entries();
            int count = entries.size();
            size += varintSize(count);
            for (int i = 0; i < count; i++) {
                LogEntry e = entries.get(i);
                int length = e.payload().length;
                size = Math.addExact(size, varintSize(e.term()) + 1 + varintSize(length));
                size = Math.addExact(size, length);
            }
            return size;
        } else if (message instanceof AppendResponse m) {
            return size
                    + varintSize(m.round())
                    + 1
                    + varintSize(m.matchIndex())
                    + varintSize(m.verifiedIndex())
                    + varintSize(m.rejectedIndex())
                    + varintSize(m.rejectHintIndex())
                    + varintSize(m.rejectHintTerm());
        } else if (message instanceof PreVoteRequest m) {
            return size + varintSize(m.lastIndex()) + varintSize(m.lastTerm());
        } else if (message instanceof PreVoteResponse m) {
            return size + varintSize(m.campaignTerm()) + 1;
        } else if (message instanceof VoteRequest m) {
            return size + varintSize(m.lastIndex()) + varintSize(m.lastTerm()) + 1;
        } else if (message instanceof VoteResponse) {
            return size + 1;
        } else if (message instanceof TimeoutNow) {
            return size;
        } else if (message instanceof ReadIndexRequest) {
            return size + Long.BYTES;
        } else if (message instanceof ReadIndexResponse m) {
            return size + Long.BYTES + varintSize(m.index()) + varintSize(m.leaderWallMillis()) + 1;
        } else if (message instanceof SnapshotRequired m) {
            return size + varintSize(m.leastIndex());
        } else if (message instanceof MemoryLost) {
            return size + Long.BYTES;
        } else if (message instanceof RecoverUpTo m) {
            return size + Long.BYTES + varintSize(m.lastIndex());
        }
        throw new AssertionError(message);
    }

    /**
     * Writes a message at the buffer's position. The buffer must be big-endian.
     *
     * @throws java.nio.BufferOverflowException if fewer than {@link #encodedSize} bytes remain
     */
    public static void encode(RaftMessage message, ByteBuffer out) {
        out.put(VERSION);
        if (message instanceof AppendRequest m) {
            out.put(APPEND_REQUEST);
            putVarint(out, m.term());
            putVarint(out, m.prevIndex());
            putVarint(out, m.prevTerm());
            putVarint(out, m.commitIndex());
            putVarint(out, m.round());
            List<LogEntry> entries = m.entries();
            int count = entries.size();
            putVarint(out, count);
            for (int i = 0; i < count; i++) {
                LogEntry e = entries.get(i);
                putVarint(out, e.term());
                out.put(e.kind().code());
                putVarint(out, e.payload().length);
                out.put(e.payload());
            }
        } else if (message instanceof AppendResponse m) {
            out.put(APPEND_RESPONSE);
            putVarint(out, m.term());
            putVarint(out, m.round());
            putBoolean(out, m.matched());
            putVarint(out, m.matchIndex());
            putVarint(out, m.verifiedIndex());
            putVarint(out, m.rejectedIndex());
            putVarint(out, m.rejectHintIndex());
            putVarint(out, m.rejectHintTerm());
        } else if (message instanceof PreVoteRequest m) {
            out.put(PRE_VOTE_REQUEST);
            putVarint(out, m.term());
            putVarint(out, m.lastIndex());
            putVarint(out, m.lastTerm());
        } else if (message instanceof PreVoteResponse m) {
            out.put(PRE_VOTE_RESPONSE);
            putVarint(out, m.term());
            putVarint(out, m.campaignTerm());
            putBoolean(out, m.granted());
        } else if (message instanceof VoteRequest m) {
            out.put(VOTE_REQUEST);
            putVarint(out, m.term());
            putVarint(out, m.lastIndex());
            putVarint(out, m.lastTerm());
            putBoolean(out, m.leadershipTransfer());
        } else if (message instanceof VoteResponse m) {
            out.put(VOTE_RESPONSE);
            putVarint(out, m.term());
            putBoolean(out, m.granted());
        } else if (message instanceof TimeoutNow m) {
            out.put(TIMEOUT_NOW);
            putVarint(out, m.term());
        } else if (message instanceof ReadIndexRequest m) {
            out.put(READ_INDEX_REQUEST);
            putVarint(out, m.term());
            out.putLong(m.context());
        } else if (message instanceof ReadIndexResponse m) {
            out.put(READ_INDEX_RESPONSE);
            putVarint(out, m.term());
            out.putLong(m.context());
            putVarint(out, m.index());
            putVarint(out, m.leaderWallMillis());
            putBoolean(out, m.accepted());
        } else if (message instanceof SnapshotRequired m) {
            out.put(SNAPSHOT_REQUIRED);
            putVarint(out, m.term());
            putVarint(out, m.leastIndex());
        } else if (message instanceof MemoryLost m) {
            out.put(MEMORY_LOST);
            putVarint(out, m.term());
            out.putLong(m.context());
        } else if (message instanceof RecoverUpTo m) {
            out.put(RECOVER_UP_TO);
            putVarint(out, m.term());
            out.putLong(m.context());
            putVarint(out, m.lastIndex());
        } else {
            throw new AssertionError(message);
        }
    }

    /**
     * Reads one message from the buffer's position and leaves the position behind it. Payloads are copied. The buffer
     * must be big-endian.
     *
     * @throws MalformedMessageException if the bytes are no message; the position is then anywhere
     */
    public static RaftMessage decode(ByteBuffer in) {
        try {
            byte version = in.get();
            if (version != VERSION) {
                throw new MalformedMessageException("version " + version + ", expected " + VERSION);
            }
            byte type = in.get();
            long term = getVarint(in);
            return switch (type) {
                case PRE_VOTE_REQUEST -> new PreVoteRequest(term, getVarint(in), getVarint(in));
                case PRE_VOTE_RESPONSE -> new PreVoteResponse(term, getVarint(in), getBoolean(in));
                case VOTE_REQUEST -> new VoteRequest(term, getVarint(in), getVarint(in), getBoolean(in));
                case VOTE_RESPONSE -> new VoteResponse(term, getBoolean(in));
                case APPEND_REQUEST -> decodeAppendRequest(term, in);
                case APPEND_RESPONSE ->
                    new AppendResponse(
                            term,
                            getVarint(in),
                            getBoolean(in),
                            getVarint(in),
                            getVarint(in),
                            getVarint(in),
                            getVarint(in),
                            getVarint(in));
                case TIMEOUT_NOW -> new TimeoutNow(term);
                case READ_INDEX_REQUEST -> new ReadIndexRequest(term, in.getLong());
                case READ_INDEX_RESPONSE ->
                    new ReadIndexResponse(term, in.getLong(), getVarint(in), getVarint(in), getBoolean(in));
                case SNAPSHOT_REQUIRED -> new SnapshotRequired(term, getVarint(in));
                case MEMORY_LOST -> new MemoryLost(term, in.getLong());
                case RECOVER_UP_TO -> new RecoverUpTo(term, in.getLong(), getVarint(in));
                default -> throw new MalformedMessageException("unknown message type " + type);
            };
        } catch (BufferUnderflowException e) {
            MalformedMessageException malformed = new MalformedMessageException("the message is cut short");
            malformed.initCause(e);
            throw malformed;
        }
    }

    private static AppendRequest decodeAppendRequest(long term, ByteBuffer in) {
        long prevIndex = getVarint(in);
        long prevTerm = getVarint(in);
        long commitIndex = getVarint(in);
        long round = getVarint(in);
        long count = getVarint(in);
        if (count > in.remaining() / MIN_ENTRY_BYTES) {
            throw new MalformedMessageException(count + " entries do not fit in " + in.remaining() + " bytes");
        }
        if (prevIndex > Long.MAX_VALUE - count) {
            throw new MalformedMessageException("index " + prevIndex + " leaves no room for " + count + " entries");
        }
        if (count == 0) {
            return new AppendRequest(term, prevIndex, prevTerm, commitIndex, round, List.of());
        }
        LogEntry[] entries = new LogEntry[(int) count];
        for (int i = 0; i < entries.length; i++) {
            long entryTerm = getVarint(in);
            byte code = in.get();
            EntryKind kind;
            try {
                kind = EntryKind.ofCode(code);
            } catch (IllegalArgumentException e) {
                MalformedMessageException malformed = new MalformedMessageException("unknown entry kind " + code);
                malformed.initCause(e);
                throw malformed;
            }
            long length = getVarint(in);
            if (length > in.remaining()) {
                throw new MalformedMessageException(
                        "a payload of " + length + " bytes does not fit in " + in.remaining());
            }
            byte[] payload = new byte[(int) length];
            in.get(payload);
            entries[i] = new LogEntry(prevIndex + 1 + i, entryTerm, kind, payload);
        }
        return new AppendRequest(
                term, prevIndex, prevTerm, commitIndex, round, Collections.unmodifiableList(Arrays.asList(entries)));
    }

    private static void putBoolean(ByteBuffer out, boolean value) {
        out.put((byte) (value ? 1 : 0));
    }

    private static boolean getBoolean(ByteBuffer in) {
        byte value = in.get();
        if (value != 0 && value != 1) {
            throw new MalformedMessageException(value + " is no truth value");
        }
        return value == 1;
    }

    private static int varintSize(long value) {
        if (value < 0) {
            throw new IllegalArgumentException(value + " is negative");
        }
        // 64 - leading zeros bits, 7 per byte, at least one byte.
        return Math.max(1, (63 - Long.numberOfLeadingZeros(value)) / 7 + 1);
    }

    private static void putVarint(ByteBuffer out, long value) {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            out.put((byte) (rest | 0x80));
            rest >>>= 7;
        }
        out.put((byte) rest);
    }

    private static long getVarint(ByteBuffer in) {
        long value = 0;
        for (int shift = 0; shift < 63; shift += 7) {
            byte b = in.get();
            value |= (long) (b & 0x7F) << shift;
            if (b >= 0) {
                if (b == 0 && shift > 0) {
                    throw new MalformedMessageException("a number is longer than it needs to be");
                }
                return value;
            }
        }
        throw new MalformedMessageException("a number does not fit in 63 bits");
    }
}
