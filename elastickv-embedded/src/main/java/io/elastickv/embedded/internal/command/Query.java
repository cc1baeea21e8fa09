package io.elastickv.embedded.internal.command;

import java.util.List;

/** A read of a shard's state. It is in no log; it travels between nodes when the asker has no replica. */
public sealed interface Query extends Encodable {

    /**
     * Reads a key. Answered by {@link QueryResult.Value}.
     *
     * @param key the key
     */
    record Get(byte[] key) implements Query {

        /** Checks the length. */
        public Get {
            CommandLimits.checkKey(key);
        }

        @Override
        public int type() {
            return 1;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfBytes(key);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putBytes(key);
        }
    }

    /**
     * Reads what is known of a key without its value. Answered by {@link QueryResult.Described}.
     *
     * @param key the key
     */
    record Describe(byte[] key) implements Query {

        /** Checks the length. */
        public Describe {
            CommandLimits.checkKey(key);
        }

        @Override
        public int type() {
            return 2;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfBytes(key);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putBytes(key);
        }
    }

    /**
     * Reads several keys of the shard: at one point in time if they share a slot. Answered by
     * {@link QueryResult.Values}.
     *
     * @param keys the keys
     */
    record GetMany(List<byte[]> keys) implements Query {

        /** Checks the lengths. */
        public GetMany {
            keys.forEach(CommandLimits::checkKey);
        }

        @Override
        public int type() {
            return 3;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfList(keys);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putList(keys);
        }
    }

    /**
     * Reads keys in scan order, to the end of the run of consecutive slots that the shard owns at most. Answered by
     * {@link QueryResult.Page}.
     *
     * @param cursor a {@link ScanPosition} in a slot of this shard, with the scan's id
     * @param limit about how many, from 1 on
     */
    record Scan(long cursor, int limit) implements Query {

        /** Checks both. */
        public Scan {
            ScanPosition.ofCursor(cursor);
            checkLimit(limit);
        }

        @Override
        public int type() {
            return 4;
        }

        @Override
        public int bodySize() {
            return Long.BYTES + ByteWriter.sizeOfVarint(limit);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putLong(cursor);
            out.putVarint(limit);
        }
    }

    /** Counts the keys of the shard, those expired but not yet removed included. Answered by {@link QueryResult.Count}. */
    record Size() implements Query {
        @Override
        public int type() {
            return 5;
        }

        @Override
        public int bodySize() {
            return 0;
        }

        @Override
        public void writeBody(ByteWriter out) {}
    }

    /**
     * Counts the keys of a slot, those expired but not yet removed included. Answered by {@link QueryResult.Count}.
     *
     * @param slot the slot
     */
    record SlotSize(int slot) implements Query {

        /** Checks the bounds. */
        public SlotSize {
            checkSlot(slot);
        }

        @Override
        public int type() {
            return 6;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfVarint(slot);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(slot);
        }
    }

    /**
     * Lists keys of a slot. Answered by {@link QueryResult.Keys}.
     *
     * @param slot the slot
     * @param limit at most how many, from 1 on
     */
    record SlotKeys(int slot, int limit) implements Query {

        /** Checks the bounds. */
        public SlotKeys {
            checkSlot(slot);
            checkLimit(limit);
        }

        @Override
        public int type() {
            return 7;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfVarint(slot) + ByteWriter.sizeOfVarint(limit);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(slot);
            out.putVarint(limit);
        }
    }

    /**
     * Picks some key. Answered by {@link QueryResult.Keys} with one key or none.
     *
     * @param seed what decides which
     */
    record RandomKey(long seed) implements Query {
        @Override
        public int type() {
            return 8;
        }

        @Override
        public int bodySize() {
            return Long.BYTES;
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putLong(seed);
        }
    }

    /**
     * Counts the keys of consecutive slots, as far as the shard owns them, those expired but not yet removed included.
     * Answered by {@link QueryResult.Counted}, or by {@link QueryResult.WrongShard} if the first is not owned.
     *
     * @param first the first slot
     * @param last the last slot
     */
    record CountSlots(int first, int last) implements Query {

        /** Checks the bounds. */
        public CountSlots {
            checkSlot(first);
            checkSlot(last);
            if (first > last) {
                throw new IllegalArgumentException("slots " + first + " to " + last);
            }
        }

        @Override
        public int type() {
            return 9;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfVarint(first) + ByteWriter.sizeOfVarint(last);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(first);
            out.putVarint(last);
        }

        static CountSlots read(ByteReader in) {
            int first = in.getInt(ScanPosition.SLOTS - 1);
            int last = in.getInt(ScanPosition.SLOTS - 1);
            if (first > last) {
                throw new MalformedCommandException("slots " + first + " to " + last);
            }
            return new CountSlots(first, last);
        }
    }

    private static void checkSlot(int slot) {
        if (slot < 0 || slot >= ScanPosition.SLOTS) {
            throw new IllegalArgumentException("slot = " + slot);
        }
    }

    private static void checkLimit(int limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit = " + limit + ": must be positive");
        }
    }

    /** Reads type and body. */
    static Query read(ByteReader in) {
        int type = in.getByte();
        return switch (type) {
            case 1 -> new Get(in.getKey());
            case 2 -> new Describe(in.getKey());
            case 3 -> new GetMany(in.getKeys());
            case 4 -> new Scan(in.getLong(), in.getInt(Integer.MAX_VALUE));
            case 5 -> new Size();
            case 6 -> new SlotSize(in.getInt(ScanPosition.SLOTS - 1));
            case 7 -> new SlotKeys(in.getInt(ScanPosition.SLOTS - 1), in.getInt(Integer.MAX_VALUE));
            case 8 -> new RandomKey(in.getLong());
            case 9 -> CountSlots.read(in);
            default -> throw new MalformedCommandException("query of type " + type);
        };
    }
}
