package io.elastickv.embedded.internal.command;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a {@link Command} came to when its entry was applied: the same on every replica. */
public sealed interface CommandResult extends Encodable {

    /**
     * A key was, or was not, written or deleted, or read within a batch (then applied tells whether it exists).
     *
     * @param applied whether it took effect
     * @param version the version that the key has now; 0 if it does not exist
     * @param previous what the key had, if asked for
     */
    record Written(boolean applied, long version, @Nullable StoredValue previous) implements CommandResult {
        @Override
        public int type() {
            return 1;
        }

        @Override
        public int bodySize() {
            return 1 + ByteWriter.sizeOfVarint(version) + StoredValue.sizeOfNullable(previous);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putBoolean(applied);
            out.putVarint(version);
            StoredValue.writeNullable(previous, out);
        }

        static Written read(ByteReader in) {
            return new Written(in.getBoolean(), in.getVarint(), StoredValue.readNullable(in));
        }
    }

    /**
     * The value of a counter after the increment.
     *
     * @param value the new value
     */
    record Incremented(long value) implements CommandResult {
        @Override
        public int type() {
            return 2;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfVarint(ByteWriter.zigzag(value));
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(ByteWriter.zigzag(value));
        }
    }

    /** The value is not the decimal text of a 64-bit integer; nothing changed. */
    record NotAnInteger() implements CommandResult {
        @Override
        public int type() {
            return 3;
        }

        @Override
        public int bodySize() {
            return 0;
        }

        @Override
        public void writeBody(ByteWriter out) {}
    }

    /** The sum does not fit into 64 bits; nothing changed. */
    record Overflow() implements CommandResult {
        @Override
        public int type() {
            return 4;
        }

        @Override
        public int bodySize() {
            return 0;
        }

        @Override
        public void writeBody(ByteWriter out) {}
    }

    /**
     * An expiry was, or was not, changed.
     *
     * @param applied whether the key existed and the rule held
     */
    record Expired(boolean applied) implements CommandResult {
        @Override
        public int type() {
            return 5;
        }

        @Override
        public int bodySize() {
            return 1;
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putBoolean(applied);
        }
    }

    /**
     * How many keys were concerned.
     *
     * @param count the number
     */
    record Count(long count) implements CommandResult {
        @Override
        public int type() {
            return 6;
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
     * A batch ran, or one of its requirements did not hold.
     *
     * @param applied whether it ran
     * @param results one for each step; empty if it did not run
     */
    record BatchDone(boolean applied, List<Written> results) implements CommandResult {
        @Override
        public int type() {
            return 7;
        }

        @Override
        public int bodySize() {
            int size = 1 + ByteWriter.sizeOfVarint(results.size());
            for (Written result : results) {
                size = Math.addExact(size, result.bodySize());
            }
            return size;
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putBoolean(applied);
            out.putVarint(results.size());
            for (Written result : results) {
                result.writeBody(out);
            }
        }

        static BatchDone read(ByteReader in) {
            boolean applied = in.getBoolean();
            int count = in.getCount(3);
            List<Written> results = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                results.add(Written.read(in));
            }
            return new BatchDone(applied, results);
        }
    }

    /**
     * A session was opened.
     *
     * @param sessionId its id
     */
    record SessionOpened(long sessionId) implements CommandResult {
        @Override
        public int type() {
            return 8;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfVarint(sessionId);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(sessionId);
        }
    }

    /** The session expired or never existed: this entry was not applied, an earlier one with the same sequence may have been. */
    record SessionUnknown() implements CommandResult {
        @Override
        public int type() {
            return 9;
        }

        @Override
        public int bodySize() {
            return 0;
        }

        @Override
        public void writeBody(ByteWriter out) {}
    }

    /** The result of this sequence is kept no more: this entry was not applied, an earlier one may have been. */
    record OutcomeForgotten() implements CommandResult {
        @Override
        public int type() {
            return 10;
        }

        @Override
        public int bodySize() {
            return 0;
        }

        @Override
        public void writeBody(ByteWriter out) {}
    }

    /**
     * The shard does not own the slot of every key, or no more; nothing changed.
     *
     * @param epoch the shard's ownership, for a comparison with the asker's
     */
    record WrongShard(long epoch) implements CommandResult {
        @Override
        public int type() {
            return 11;
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

    /** The keys of a command that needs one slot are in several; nothing changed. A router refuses such a command before. */
    record CrossSlot() implements CommandResult {
        @Override
        public int type() {
            return 12;
        }

        @Override
        public int bodySize() {
            return 0;
        }

        @Override
        public void writeBody(ByteWriter out) {}
    }

    /** It is done, and there is nothing to tell. */
    record Done() implements CommandResult {
        @Override
        public int type() {
            return 13;
        }

        @Override
        public int bodySize() {
            return 0;
        }

        @Override
        public void writeBody(ByteWriter out) {}
    }

    /**
     * The shard was split.
     *
     * @param index of the log's entry that did it, which is also where the new shard's log begins: its first entry is the next
     */
    record ShardSplit(long index) implements CommandResult {
        @Override
        public int type() {
            return 14;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfVarint(index);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(index);
        }
    }

    /**
     * All keys of the shard are deleted.
     *
     * @param first the first slot of the run of consecutive ones, owned by the shard, that the one asked for is in
     * @param last the last slot of that run
     */
    record Cleared(int first, int last) implements CommandResult {
        @Override
        public int type() {
            return 32;
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
    }

    /** Reads type and body. */
    static CommandResult read(ByteReader in) {
        int type = in.getByte();
        return switch (type) {
            case 1 -> Written.read(in);
            case 2 -> new Incremented(ByteReader.unzigzag(in.getVarint()));
            case 3 -> new NotAnInteger();
            case 4 -> new Overflow();
            case 5 -> new Expired(in.getBoolean());
            case 6 -> new Count(in.getVarint());
            case 7 -> BatchDone.read(in);
            case 8 -> new SessionOpened(in.getVarint());
            case 9 -> new SessionUnknown();
            case 10 -> new OutcomeForgotten();
            case 11 -> new WrongShard(in.getVarint());
            case 12 -> new CrossSlot();
            case 13 -> new Done();
            case 14 -> new ShardSplit(in.getVarint());
            case 32 -> new Cleared(in.getInt(ScanPosition.SLOTS - 1), in.getInt(ScanPosition.SLOTS - 1));
            default -> throw new MalformedCommandException("result of type " + type);
        };
    }
}
