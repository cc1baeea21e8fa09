package io.elastickv.embedded.internal.command;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The answer to a {@link Query}. */
public sealed interface QueryResult extends Encodable {

    /**
     * What a key has.
     *
     * @param value null if the key does not exist
     */
    record Value(@Nullable StoredValue value) implements QueryResult {
        @Override
        public int type() {
            return 1;
        }

        @Override
        public int bodySize() {
            return StoredValue.sizeOfNullable(value);
        }

        @Override
        public void writeBody(ByteWriter out) {
            StoredValue.writeNullable(value, out);
        }
    }

    /**
     * What is known of a key.
     *
     * @param exists whether it exists; if not, the rest is 0
     * @param version its version
     * @param valueLength the length of its value in bytes
     * @param expiresAtMillis when it expires, in milliseconds since 1970; 0 for never
     * @param timeToLiveMillis how long it still lives, if it expires; positive
     */
    record Described(boolean exists, long version, int valueLength, long expiresAtMillis, long timeToLiveMillis)
            implements QueryResult {
        @Override
        public int type() {
            return 2;
        }

        @Override
        public int bodySize() {
            return 1
                    + ByteWriter.sizeOfVarint(version)
                    + ByteWriter.sizeOfVarint(valueLength)
                    + ByteWriter.sizeOfVarint(expiresAtMillis)
                    + ByteWriter.sizeOfVarint(timeToLiveMillis);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putBoolean(exists);
            out.putVarint(version);
            out.putVarint(valueLength);
            out.putVarint(expiresAtMillis);
            out.putVarint(timeToLiveMillis);
        }

        static Described read(ByteReader in) {
            return new Described(
                    in.getBoolean(),
                    in.getVarint(),
                    in.getInt(CommandLimits.MAX_VALUE_BYTES),
                    in.getVarint(),
                    in.getVarint());
        }
    }

    /**
     * What several keys have.
     *
     * @param values in the order asked; null for a key that does not exist
     * @param atomic whether they were read at one point in time
     */
    record Values(List<@Nullable StoredValue> values, boolean atomic) implements QueryResult {
        @Override
        public int type() {
            return 3;
        }

        @Override
        public int bodySize() {
            int size = 1 + ByteWriter.sizeOfVarint(values.size());
            for (StoredValue value : values) {
                size = Math.addExact(size, StoredValue.sizeOfNullable(value));
            }
            return size;
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putBoolean(atomic);
            out.putVarint(values.size());
            for (StoredValue value : values) {
                StoredValue.writeNullable(value, out);
            }
        }

        static Values read(ByteReader in) {
            boolean atomic = in.getBoolean();
            int count = in.getCount(1);
            List<@Nullable StoredValue> values = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                values.add(StoredValue.readNullable(in));
            }
            return new Values(values, atomic);
        }
    }

    /**
     * A page of a scan.
     *
     * @param keys the keys, possibly none, possibly more than the limit
     * @param nextCursor where to go on: a {@link ScanPosition} of this shard, or the first one behind the shard's run of
     *     slots, or 0 after the last slot of all
     */
    record Page(List<byte[]> keys, long nextCursor) implements QueryResult {
        @Override
        public int type() {
            return 4;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfList(keys) + Long.BYTES;
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putList(keys);
            out.putLong(nextCursor);
        }
    }

    /**
     * A number of keys.
     *
     * @param count the number
     */
    record Count(long count) implements QueryResult {
        @Override
        public int type() {
            return 5;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfVarint(count);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(count);
        }
    }

    /**
     * Some keys.
     *
     * @param keys the keys
     */
    record Keys(List<byte[]> keys) implements QueryResult {
        @Override
        public int type() {
            return 6;
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
     * The shard does not own the slot of every key.
     *
     * @param epoch the shard's ownership, for a comparison with the asker's
     */
    record WrongShard(long epoch) implements QueryResult {
        @Override
        public int type() {
            return 7;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfVarint(epoch);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(epoch);
        }
    }

    /**
     * By the clock of the read a key is dead, by the log it still lives: propose {@link Command.AdvanceTime} and ask
     * again after its apply. Otherwise a replica that is asked next could show the key alive again.
     *
     * @param millis what to propose
     */
    record NeedsTime(long millis) implements QueryResult {
        @Override
        public int type() {
            return 8;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfVarint(millis);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(millis);
        }
    }

    /**
     * A number of keys.
     *
     * @param count the number
     * @param last the last slot that was counted; the shard does not own the next, or it was not asked for
     */
    record Counted(long count, int last) implements QueryResult {
        @Override
        public int type() {
            return 9;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfVarint(count) + ByteWriter.sizeOfVarint(last);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(count);
            out.putVarint(last);
        }
    }

    /** Reads type and body. */
    static QueryResult read(ByteReader in) {
        int type = in.getByte();
        return switch (type) {
            case 1 -> new Value(StoredValue.readNullable(in));
            case 2 -> Described.read(in);
            case 3 -> Values.read(in);
            case 4 -> new Page(in.getKeys(), in.getLong());
            case 5 -> new Count(in.getVarint());
            case 6 -> new Keys(in.getKeys());
            case 7 -> new WrongShard(in.getVarint());
            case 8 -> new NeedsTime(in.getVarint());
            case 9 -> new Counted(in.getVarint(), in.getInt(ScanPosition.SLOTS - 1));
            default -> throw new MalformedCommandException("query result of type " + type);
        };
    }
}
