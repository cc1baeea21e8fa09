package io.elastickv.embedded.internal.backup;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the node that exports asks of the leaders. Every request begins with {@code version u8 | export i64 | shard i32},
 * every answer with {@code version u8 | granted u8}; one that is not granted goes on with {@code term i64 | leader text |
 * reason text}, a text being its length in bytes (u16) and UTF-8.
 *
 * <pre>
 * prepare:                     answer: as freeze      does it lead, and has it a majority?
 * freeze:  lease ms i32        answer: term i64 | index i64 | log time i64 | ranges u16, each: first u16, last u16
 *                                                                               stand still, and hold the state
 * release:                     answer: as freeze      it stood still until now, and led; writes go on, the state is kept
 * fetch:   first block i64     answer: state u8 (0 more to come, 1 all) | blocks i64 | entries i64 (both: if all)
 *                                      | count i32, each: entries i32, CRC i32, length i32, payload
 * end:                         answer: nothing       the state is of no more use
 * </pre>
 */
final class BackupProtocol {

    static final int METHOD_PREPARE = 40;
    static final int METHOD_FREEZE = 41;
    static final int METHOD_RELEASE = 42;
    static final int METHOD_FETCH = 43;
    static final int METHOD_END = 44;

    /** In place of a block's number: only keeps the export from being given up. */
    static final long NO_BLOCK = -1;

    private static final int VERSION = 2;
    private static final int REQUEST_BYTES = 13;
    private static final int MAX_TEXT_BYTES = 4 << 10;

    private BackupProtocol() {}

    /**
     * A request.
     *
     * @param argument the lease in ms, or the first block wanted
     */
    record Request(long export, int shard, long argument) {}

    /** What was asked for is not to be had. */
    record Refusal(long term, @Nullable String leader, String reason) {}

    /** Where a shard stands still, and what it owns there; all but the term only after a freeze. */
    record Standing(long term, long index, long logTimeMillis, List<SlotRange> slots) {

        /** One that leads. */
        static Standing of(long term) {
            return new Standing(term, 0, 0, List.of());
        }
    }

    /**
     * Blocks of a shard.
     *
     * @param complete whether all of the shard's blocks are known by now
     * @param totalBlocks how many, if complete
     * @param totalEntries in all of them, if complete
     * @param blocks consecutive ones from the one asked for on; possibly none
     */
    record Fetched(boolean complete, long totalBlocks, long totalEntries, List<EntryBlock> blocks) {}

    /** An answer that cannot be understood. */
    static final class MalformedAnswerException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        MalformedAnswerException(String message) {
            super(message);
        }
    }

    static byte[] encode(Request request) {
        return ByteBuffer.allocate(REQUEST_BYTES + 8)
                .put((byte) VERSION)
                .putLong(request.export)
                .putInt(request.shard)
                .putLong(request.argument)
                .array();
    }

    static Request request(ByteBuffer payload) {
        if (payload.remaining() != REQUEST_BYTES + 8 || payload.get() != VERSION) {
            throw new IllegalArgumentException("a request of another version, or cut short");
        }
        return new Request(payload.getLong(), payload.getInt(), payload.getLong());
    }

    static byte[] encode(Refusal refusal) {
        byte[] leader = text(refusal.leader == null ? "" : refusal.leader);
        byte[] reason = text(refusal.reason);
        return ByteBuffer.allocate(14 + leader.length + reason.length)
                .put((byte) VERSION)
                .put((byte) 0)
                .putLong(refusal.term)
                .putShort((short) leader.length)
                .put(leader)
                .putShort((short) reason.length)
                .put(reason)
                .array();
    }

    private static byte[] text(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        return bytes.length <= MAX_TEXT_BYTES ? bytes : text(text.substring(0, MAX_TEXT_BYTES / 4));
    }

    static byte[] encode(Standing standing) {
        ByteBuffer bytes = ByteBuffer.allocate(28 + 4 * standing.slots.size())
                .put((byte) VERSION)
                .put((byte) 1)
                .putLong(standing.term)
                .putLong(standing.index)
                .putLong(standing.logTimeMillis)
                .putShort((short) standing.slots.size());
        for (SlotRange range : standing.slots) {
            bytes.putShort((short) range.first()).putShort((short) range.last());
        }
        return bytes.array();
    }

    /** The parts of an answer. */
    static byte[][] encode(Fetched fetched) {
        List<byte[]> parts = new ArrayList<>();
        parts.add(ByteBuffer.allocate(23)
                .put((byte) VERSION)
                .put((byte) 1)
                .put((byte) (fetched.complete ? 1 : 0))
                .putLong(fetched.totalBlocks)
                .putLong(fetched.totalEntries)
                .putInt(fetched.blocks.size())
                .array());
        for (EntryBlock block : fetched.blocks) {
            ByteBuffer payload = block.payload().duplicate().position(0);
            byte[] bytes = new byte[12 + payload.remaining()];
            ByteBuffer.wrap(bytes)
                    .putInt(block.entries())
                    .putInt(block.crc())
                    .putInt(payload.remaining())
                    .put(payload);
            parts.add(bytes);
        }
        return parts.toArray(new byte[0][]);
    }

    /**
     * Reads whether what was asked for is granted; {@code answer} then stands behind that.
     *
     * @return null if it is
     */
    static @Nullable Refusal refusal(ByteBuffer answer) {
        if (answer.remaining() < 2 || answer.get() != VERSION) {
            throw new MalformedAnswerException("an answer of another version of the library");
        }
        if (answer.get() == 1) {
            return null;
        }
        need(answer, 8);
        long term = answer.getLong();
        String leader = text(answer);
        return new Refusal(term, leader.isEmpty() ? null : leader, text(answer));
    }

    static Standing standing(ByteBuffer answer) {
        need(answer, 26);
        long term = answer.getLong();
        long index = answer.getLong();
        long logTimeMillis = answer.getLong();
        int ranges = answer.getShort() & 0xffff;
        need(answer, 4 * ranges);
        List<SlotRange> slots = new ArrayList<>();
        for (int i = 0; i < ranges; i++) {
            int first = answer.getShort() & 0xffff;
            int last = answer.getShort() & 0xffff;
            if (first > last || last >= KeySlot.COUNT) {
                throw new MalformedAnswerException("an answer about slots " + first + "-" + last);
            }
            slots.add(new SlotRange(first, last));
        }
        return new Standing(term, index, logTimeMillis, slots);
    }

    static Fetched fetched(ByteBuffer answer) {
        need(answer, 21);
        boolean complete = answer.get() == 1;
        long totalBlocks = answer.getLong();
        long totalEntries = answer.getLong();
        int count = answer.getInt();
        List<EntryBlock> blocks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            need(answer, 12);
            int entries = answer.getInt();
            int crc = answer.getInt();
            int length = answer.getInt();
            if (length < 0 || length > BackupFormat.MAX_PAYLOAD_BYTES) {
                throw new MalformedAnswerException("a block of " + length + " bytes");
            }
            need(answer, length);
            byte[] payload = new byte[length];
            answer.get(payload);
            blocks.add(new EntryBlock(entries, crc, ByteBuffer.wrap(payload)));
        }
        return new Fetched(complete, totalBlocks, totalEntries, blocks);
    }

    private static String text(ByteBuffer answer) {
        need(answer, 2);
        int length = answer.getShort() & 0xffff;
        need(answer, length);
        byte[] bytes = new byte[length];
        answer.get(bytes);
        return new String(bytes, UTF_8);
    }

    private static void need(ByteBuffer answer, int bytes) {
        if (answer.remaining() < bytes) {
            throw new MalformedAnswerException("an answer that is cut short");
        }
    }
}
