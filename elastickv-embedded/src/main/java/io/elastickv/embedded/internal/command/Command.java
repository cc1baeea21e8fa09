package io.elastickv.embedded.internal.command;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A change of a shard's state, as it stands in the log. Everything that could differ between replicas (time, randomness)
 * is in the {@link Envelope} or in the command itself.
 */
public sealed interface Command extends Encodable {

    /**
     * Writes a key. Answered by {@link CommandResult.Written}.
     *
     * @param key the key
     * @param value the value
     * @param condition what must hold
     * @param expiry what becomes of the expiry; in the past, the key is deleted
     * @param returnPrevious whether the result carries what the key had, applied or not
     */
    record Put(byte[] key, byte[] value, Precondition condition, ExpiryChange expiry, boolean returnPrevious)
            implements Command, Step {

        /** Checks the lengths. */
        public Put {
            CommandLimits.checkKey(key);
            CommandLimits.checkValue(value);
        }

        @Override
        public int type() {
            return 1;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfBytes(key)
                    + ByteWriter.sizeOfBytes(value)
                    + Precondition.sizeOf(condition)
                    + ExpiryChange.sizeOf(expiry)
                    + 1;
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putBytes(key);
            out.putBytes(value);
            Precondition.write(condition, out);
            ExpiryChange.write(expiry, out);
            out.putBoolean(returnPrevious);
        }

        static Put read(ByteReader in) {
            return new Put(in.getKey(), in.getValue(), Precondition.read(in), ExpiryChange.read(in), in.getBoolean());
        }
    }

    /**
     * Deletes a key. Answered by {@link CommandResult.Written}, applied if the key existed and the condition held.
     *
     * @param key the key
     * @param condition what must hold
     * @param returnPrevious whether the result carries what the key had
     */
    record Delete(byte[] key, Precondition condition, boolean returnPrevious) implements Command, Step {

        /** Checks the length. */
        public Delete {
            CommandLimits.checkKey(key);
        }

        @Override
        public int type() {
            return 2;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfBytes(key) + Precondition.sizeOf(condition) + 1;
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putBytes(key);
            Precondition.write(condition, out);
            out.putBoolean(returnPrevious);
        }

        static Delete read(ByteReader in) {
            return new Delete(in.getKey(), Precondition.read(in), in.getBoolean());
        }
    }

    /**
     * Adds to the decimal integer that a key holds; absent counts as 0; the expiry stays. Answered by
     * {@link CommandResult.Incremented}, {@link CommandResult.NotAnInteger} or {@link CommandResult.Overflow}.
     *
     * @param key the key
     * @param delta what to add
     */
    record Increment(byte[] key, long delta) implements Command {

        /** Checks the length. */
        public Increment {
            CommandLimits.checkKey(key);
        }

        @Override
        public int type() {
            return 3;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfBytes(key) + ByteWriter.sizeOfVarint(ByteWriter.zigzag(delta));
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putBytes(key);
            out.putVarint(ByteWriter.zigzag(delta));
        }

        static Increment read(ByteReader in) {
            return new Increment(in.getKey(), ByteReader.unzigzag(in.getVarint()));
        }
    }

    /**
     * Changes the expiry of a key; with {@link ExpiryChange#NEVER} and {@link ExpiryRule#IF_ANY} it is "persist". The
     * version of the key stays. Answered by {@link CommandResult.Expired}.
     *
     * @param key the key
     * @param expiry the new expiry; in the past, the key is deleted
     * @param rule when it takes effect
     */
    record Expire(byte[] key, ExpiryChange expiry, ExpiryRule rule) implements Command, Step {

        /** Checks the length. */
        public Expire {
            CommandLimits.checkKey(key);
        }

        @Override
        public int type() {
            return 4;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfBytes(key) + ExpiryChange.sizeOf(expiry) + 1;
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putBytes(key);
            ExpiryChange.write(expiry, out);
            out.putVarint(rule.code());
        }

        static Expire read(ByteReader in) {
            return new Expire(in.getKey(), ExpiryChange.read(in), ExpiryRule.read(in));
        }
    }

    /**
     * Writes keys of one slot together, without expiry. Answered by {@link CommandResult.Count}: the number of pairs.
     *
     * @param keys the keys; of two equal ones the later wins
     * @param values as many values
     */
    record PutAll(List<byte[]> keys, List<byte[]> values) implements Command {

        /** Checks lengths and counts. */
        public PutAll {
            if (keys.size() != values.size()) {
                throw new IllegalArgumentException(keys.size() + " keys, " + values.size() + " values");
            }
            keys.forEach(CommandLimits::checkKey);
            values.forEach(CommandLimits::checkValue);
        }

        @Override
        public int type() {
            return 5;
        }

        @Override
        public int bodySize() {
            int size = ByteWriter.sizeOfVarint(keys.size());
            for (int i = 0; i < keys.size(); i++) {
                size = Math.addExact(size, ByteWriter.sizeOfBytes(keys.get(i)) + ByteWriter.sizeOfBytes(values.get(i)));
            }
            return size;
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(keys.size());
            for (int i = 0; i < keys.size(); i++) {
                out.putBytes(keys.get(i));
                out.putBytes(values.get(i));
            }
        }

        static PutAll read(ByteReader in) {
            int count = in.getCount(3);
            List<byte[]> keys = new ArrayList<>(count);
            List<byte[]> values = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                keys.add(in.getKey());
                values.add(in.getValue());
            }
            return new PutAll(keys, values);
        }
    }

    /**
     * Deletes keys of one slot together. Answered by {@link CommandResult.Count}: how many existed.
     *
     * @param keys the keys
     */
    record DeleteAll(List<byte[]> keys) implements Command {

        /** Checks the lengths. */
        public DeleteAll {
            keys.forEach(CommandLimits::checkKey);
        }

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
     * Runs steps on keys of one slot, in order, if every requirement holds before the first. Answered by
     * {@link CommandResult.BatchDone}.
     *
     * @param requirements what must hold
     * @param steps what to do
     */
    record AtomicBatch(List<Requirement> requirements, List<Step> steps) implements Command {
        @Override
        public int type() {
            return 7;
        }

        @Override
        public int bodySize() {
            int size = ByteWriter.sizeOfVarint(requirements.size()) + ByteWriter.sizeOfVarint(steps.size());
            for (Requirement requirement : requirements) {
                size = Math.addExact(
                        size, ByteWriter.sizeOfBytes(requirement.key()) + Precondition.sizeOf(requirement.condition()));
            }
            for (Step step : steps) {
                size = Math.addExact(size, 1 + step.bodySize());
            }
            return size;
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(requirements.size());
            for (Requirement requirement : requirements) {
                out.putBytes(requirement.key());
                Precondition.write(requirement.condition(), out);
            }
            out.putVarint(steps.size());
            for (Step step : steps) {
                out.putByte(step.type());
                step.writeBody(out);
            }
        }

        static AtomicBatch read(ByteReader in) {
            int requirementCount = in.getCount(3);
            List<Requirement> requirements = new ArrayList<>(requirementCount);
            for (int i = 0; i < requirementCount; i++) {
                requirements.add(new Requirement(in.getKey(), Precondition.read(in)));
            }
            int stepCount = in.getCount(3);
            List<Step> steps = new ArrayList<>(stepCount);
            for (int i = 0; i < stepCount; i++) {
                steps.add(Step.read(in));
            }
            return new AtomicBatch(requirements, steps);
        }
    }

    /** Deletes every key of the shard. Answered by {@link CommandResult.Done}. */
    record Clear() implements Command {
        @Override
        public int type() {
            return 8;
        }

        @Override
        public int bodySize() {
            return 0;
        }

        @Override
        public void writeBody(ByteWriter out) {}
    }

    /**
     * Opens a session, whose id is of this entry alone. Answered by {@link CommandResult.SessionOpened}.
     *
     * @param owner who opens it, for people: the name of a node
     */
    record OpenSession(String owner) implements Command {
        @Override
        public int type() {
            return 9;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfBytes(ownerBytes());
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putBytes(ownerBytes());
        }

        private byte[] ownerBytes() {
            byte[] bytes = owner.getBytes(UTF_8);
            if (bytes.length > CommandLimits.MAX_OWNER_BYTES) {
                throw new IllegalArgumentException("session owner of " + bytes.length + " bytes");
            }
            return bytes;
        }

        static OpenSession read(ByteReader in) {
            byte[] bytes = in.getBytes(CommandLimits.MAX_OWNER_BYTES);
            String owner = new String(bytes, UTF_8);
            if (!Arrays.equals(owner.getBytes(UTF_8), bytes)) {
                throw new MalformedCommandException("session owner is not UTF-8");
            }
            return new OpenSession(owner);
        }
    }

    /**
     * Moves the log's time at least to a moment that a reader saw on a leader's clock, so that the death of a key is in
     * the log before anyone is told of it. Answered by {@link CommandResult.Done}.
     *
     * @param millis milliseconds since 1970, as {@link QueryResult.NeedsTime} gave them
     */
    record AdvanceTime(long millis) implements Command {
        @Override
        public int type() {
            return 10;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfVarint(ByteWriter.zigzag(millis));
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(ByteWriter.zigzag(millis));
        }
    }

    /**
     * Deletes those of the keys, of any slots, that are expired at the log's time. Answered by
     * {@link CommandResult.Count}.
     *
     * @param keys candidates
     */
    record EvictExpired(List<byte[]> keys) implements Command {

        /** Checks the lengths. */
        public EvictExpired {
            keys.forEach(CommandLimits::checkKey);
        }

        @Override
        public int type() {
            return 11;
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
     * Splits the shard: its slots from {@code firstSlot} on become a shard of their own, in the hands of the same replicas.
     * Answered by {@link CommandResult.ShardSplit}, or by {@link CommandResult.WrongShard} if the shard has another epoch, so
     * that it is split once however often this is proposed, or if nothing would be left on one side.
     *
     * @param expectedEpoch of the shard's ownership before
     * @param epoch of the shard's ownership after
     * @param firstSlot the first slot of the new shard, which gets all from there on
     * @param newShard the new shard's id
     * @param newEpoch of the new shard's ownership
     * @param configuration the members of the new shard's group at its beginning, as the consensus encodes them
     */
    record SplitShard(long expectedEpoch, long epoch, int firstSlot, int newShard, long newEpoch, byte[] configuration)
            implements Command {

        /** Checks the numbers and the length. */
        public SplitShard {
            if (firstSlot < 1 || firstSlot >= ScanPosition.SLOTS || newShard < 0) {
                throw new IllegalArgumentException("firstSlot = " + firstSlot + ", newShard = " + newShard);
            }
            if (configuration.length > CommandLimits.MAX_CONFIGURATION_BYTES) {
                throw new IllegalArgumentException("configuration of " + configuration.length + " bytes");
            }
        }

        @Override
        public int type() {
            return 12;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfVarint(expectedEpoch)
                    + ByteWriter.sizeOfVarint(epoch)
                    + ByteWriter.sizeOfVarint(firstSlot)
                    + ByteWriter.sizeOfVarint(newShard)
                    + ByteWriter.sizeOfVarint(newEpoch)
                    + ByteWriter.sizeOfBytes(configuration);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(expectedEpoch);
            out.putVarint(epoch);
            out.putVarint(firstSlot);
            out.putVarint(newShard);
            out.putVarint(newEpoch);
            out.putBytes(configuration);
        }

        static SplitShard read(ByteReader in) {
            return new SplitShard(
                    in.getVarint(),
                    in.getVarint(),
                    in.getInt(ScanPosition.SLOTS - 1),
                    in.getInt(Integer.MAX_VALUE),
                    in.getVarint(),
                    in.getBytes(CommandLimits.MAX_CONFIGURATION_BYTES));
        }
    }

    /**
     * The shard gives slots away: it serves them no more, and keeps what they have until {@link DropSlots}. Answered by
     * {@link CommandResult.Done}, also if that was done before, or by {@link CommandResult.WrongShard} if the shard has
     * another epoch, or the slots are not the first of those that it has, or it keeps others already.
     *
     * @param expectedEpoch of the shard's ownership before
     * @param epoch of the shard's ownership after
     * @param first the first slot of the shard
     * @param last the last slot that is given away
     * @param to the shard that takes them in
     */
    record GiveSlots(long expectedEpoch, long epoch, int first, int last, int to) implements Command {

        /** Checks the bounds. */
        public GiveSlots {
            checkSlots(first, last);
        }

        @Override
        public int type() {
            return 13;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfVarint(expectedEpoch)
                    + ByteWriter.sizeOfVarint(epoch)
                    + ByteWriter.sizeOfVarint(first)
                    + ByteWriter.sizeOfVarint(last)
                    + ByteWriter.sizeOfVarint(to);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(expectedEpoch);
            out.putVarint(epoch);
            out.putVarint(first);
            out.putVarint(last);
            out.putVarint(to);
        }

        static GiveSlots read(ByteReader in) {
            long expectedEpoch = in.getVarint();
            long epoch = in.getVarint();
            int first = in.getInt(ScanPosition.SLOTS - 1);
            int last = readLast(in, first);
            return new GiveSlots(expectedEpoch, epoch, first, last, in.getInt(Integer.MAX_VALUE));
        }
    }

    /**
     * The shard takes slots in that another one gave away, and serves them from now on. Answered by {@link
     * CommandResult.Done}, also if that was done before, or by {@link CommandResult.WrongShard} if its epoch is not below, or
     * the slots do not follow its own.
     *
     * @param from the shard that gave them away
     * @param epoch of {@link GiveSlots}; of the shard's ownership after
     * @param first the first of the slots
     * @param last the last of them
     * @param piece what they have
     */
    record AbsorbSlots(int from, long epoch, int first, int last, Piece piece) implements Command {

        /** Checks the bounds. */
        public AbsorbSlots {
            checkSlots(first, last);
        }

        @Override
        public int type() {
            return 14;
        }

        @Override
        public int bodySize() {
            return Math.addExact(
                    ByteWriter.sizeOfVarint(from)
                            + ByteWriter.sizeOfVarint(epoch)
                            + ByteWriter.sizeOfVarint(first)
                            + ByteWriter.sizeOfVarint(last),
                    piece.size());
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(from);
            out.putVarint(epoch);
            out.putVarint(first);
            out.putVarint(last);
            piece.write(out);
        }

        static AbsorbSlots read(ByteReader in) {
            int from = in.getInt(Integer.MAX_VALUE);
            long epoch = in.getVarint();
            int first = in.getInt(ScanPosition.SLOTS - 1);
            int last = readLast(in, first);
            return new AbsorbSlots(from, epoch, first, last, Piece.read(in));
        }
    }

    /**
     * The shard deletes what the slots have that it gave away. Answered by {@link CommandResult.Done}, also if there is
     * nothing, or by {@link CommandResult.WrongShard} if what there is was given away in another epoch.
     *
     * @param epoch of {@link GiveSlots}
     */
    record DropSlots(long epoch) implements Command {
        @Override
        public int type() {
            return 15;
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

    private static void checkSlots(int first, int last) {
        if (first < 0 || first > last || last >= ScanPosition.SLOTS) {
            throw new IllegalArgumentException("slots " + first + " to " + last);
        }
    }

    private static int readLast(ByteReader in, int first) {
        int last = in.getInt(ScanPosition.SLOTS - 1);
        if (last < first) {
            throw new MalformedCommandException("slots " + first + " to " + last);
        }
        return last;
    }

    /**
     * Deletes all keys of the shard, if it owns {@code slot}, which tells where the asker has to go on. Answered by
     * {@link CommandResult.Cleared}, or by {@link CommandResult.WrongShard}.
     *
     * @param slot one of those to clear
     */
    record ClearAround(int slot) implements Command {

        /** Checks the bounds. */
        public ClearAround {
            if (slot < 0 || slot >= ScanPosition.SLOTS) {
                throw new IllegalArgumentException("slot = " + slot);
            }
        }

        @Override
        public int type() {
            return 32;
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

    /** One step of an {@link AtomicBatch}. */
    sealed interface Step extends Encodable {

        /** The key concerned. */
        byte[] key();

        /** Reads type and body. */
        static Step read(ByteReader in) {
            int type = in.getByte();
            return switch (type) {
                case 1 -> Put.read(in);
                case 2 -> Delete.read(in);
                case 4 -> Expire.read(in);
                case 64 -> new Get(in.getKey());
                default -> throw new MalformedCommandException("step of type " + type);
            };
        }
    }

    /**
     * Reads a key at this point of the batch.
     *
     * @param key the key
     */
    record Get(byte[] key) implements Step {

        /** Checks the length. */
        public Get {
            CommandLimits.checkKey(key);
        }

        @Override
        public int type() {
            return 64;
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
     * A condition of a whole batch.
     *
     * @param key the key
     * @param condition what must hold before the first step
     */
    record Requirement(byte[] key, Precondition condition) {

        /** Checks the length. */
        public Requirement {
            CommandLimits.checkKey(key);
        }
    }

    /** Reads type and body. */
    static Command read(ByteReader in) {
        int type = in.getByte();
        return switch (type) {
            case 1 -> Put.read(in);
            case 2 -> Delete.read(in);
            case 3 -> Increment.read(in);
            case 4 -> Expire.read(in);
            case 5 -> PutAll.read(in);
            case 6 -> new DeleteAll(in.getKeys());
            case 7 -> AtomicBatch.read(in);
            case 8 -> new Clear();
            case 9 -> OpenSession.read(in);
            case 10 -> new AdvanceTime(ByteReader.unzigzag(in.getVarint()));
            case 11 -> new EvictExpired(in.getKeys());
            case 12 -> SplitShard.read(in);
            case 13 -> GiveSlots.read(in);
            case 14 -> AbsorbSlots.read(in);
            case 15 -> new DropSlots(in.getVarint());
            case 32 -> new ClearAround(in.getInt(ScanPosition.SLOTS - 1));
            default -> throw new MalformedCommandException("command of type " + type);
        };
    }
}
