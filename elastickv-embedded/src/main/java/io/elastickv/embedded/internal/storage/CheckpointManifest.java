package io.elastickv.embedded.internal.storage;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What a checkpoint consists of. Once its manifest is durable, a checkpoint exists. Immutable; arrays must not be changed.
 *
 * @param group the id of the Raft group
 * @param index the entries of the log up to here are in it
 * @param term the term of the entry at {@code index}
 * @param configuration of the group at {@code index}, as the consensus encodes it
 * @param epoch of the shard's ownership
 * @param slots those that the shard owns, in order; none if it gave all away
 * @param logTimeMillis the log's time at {@code index}
 * @param keys how many keys there are
 * @param files in the order in which they are read; the position in this list is what "file" means to readers
 * @param versionOffset by how much the versions of what the shard writes are larger than the indexes of its log
 * @param given what the shard gave away and still has the entries of; null if there is nothing
 */
public record CheckpointManifest(
        int group,
        long index,
        long term,
        byte[] configuration,
        long epoch,
        List<SlotSpan> slots,
        long logTimeMillis,
        long keys,
        List<CheckpointFile> files,
        long versionOffset,
        @Nullable GivenSlots given) {

    private static final int FIXED_BYTES = 72;
    /** What {@link #MERGING_VERSION} has more. */
    private static final int MERGING_BYTES = 33;

    /** Of a shard that has taken slots in or given some away. */
    private static final int MERGING_VERSION = 2;

    private static final int SPAN_BYTES = 4;
    private static final int FILE_BYTES = 57;
    private static final int LENGTH_OFFSET = 12;

    /** Far more than any manifest has. */
    static final int MAX_BYTES = FIXED_BYTES
            + MERGING_BYTES
            + (SlotSpan.MAX_SLOT + 1) * SPAN_BYTES
            + CheckpointFormat.MAX_CONFIGURATION_BYTES
            + CheckpointFormat.MAX_FILES * FILE_BYTES
            + Integer.BYTES;

    /** One of a shard that has nothing to do with merges. */
    public CheckpointManifest(
            int group,
            long index,
            long term,
            byte[] configuration,
            long epoch,
            List<SlotSpan> slots,
            long logTimeMillis,
            long keys,
            List<CheckpointFile> files) {
        this(group, index, term, configuration, epoch, slots, logTimeMillis, keys, files, 0, null);
    }

    /** Copies the lists and checks that the parts fit each other. */
    public CheckpointManifest {
        slots = List.copyOf(slots);
        files = List.copyOf(files);
        if (index < 1 || term < 0 || keys < 0) {
            throw new IllegalArgumentException("index = " + index + ", term = " + term + ", keys = " + keys);
        }
        if (configuration.length > CheckpointFormat.MAX_CONFIGURATION_BYTES
                || files.size() > CheckpointFormat.MAX_FILES) {
            throw new IllegalArgumentException(
                    "a configuration of " + configuration.length + " bytes and " + files.size() + " files");
        }
        if (versionOffset < 0) {
            throw new IllegalArgumentException("versionOffset = " + versionOffset);
        }
        checkSlots(slots);
        checkFiles(index, keys, files);
    }

    private static void checkSlots(List<SlotSpan> slots) {
        int last = -1;
        for (SlotSpan span : slots) {
            if (span.first() <= last) {
                throw new IllegalArgumentException("slots out of order: " + slots);
            }
            last = span.last();
        }
    }

    private static void checkFiles(long index, long keys, List<CheckpointFile> files) {
        int lastSlot = -1;
        long sum = 0;
        int others = 0;
        for (CheckpointFile file : files) {
            if (file.length() < 0 || file.keys() < 0 || file.lastChange() < 0 || file.lastChange() > index) {
                throw new IllegalArgumentException("impossible file " + file);
            }
            if (file.kind() != CheckpointFile.Kind.BUCKET) {
                others++;
                continue;
            }
            if (file.slots().first() <= lastSlot) {
                throw new IllegalArgumentException("buckets out of order");
            }
            lastSlot = file.slots().last();
            sum += file.keys();
        }
        if (sum != keys || others != 1) {
            throw new IllegalArgumentException(
                    keys + " keys, but " + sum + " in the buckets; " + others + " files of sessions");
        }
    }

    /** The bytes of all files together, without the manifest. */
    public long totalBytes() {
        long sum = 0;
        for (CheckpointFile file : files) {
            sum += file.length();
        }
        return sum;
    }

    String name() {
        return CheckpointFormat.manifestName(index);
    }

    /** As bytes, with version and checksum. */
    public byte[] encode() {
        boolean merging = versionOffset > 0 || given != null || slots.isEmpty();
        int size = FIXED_BYTES
                + (merging ? MERGING_BYTES : 0)
                + slots.size() * SPAN_BYTES
                + configuration.length
                + files.size() * FILE_BYTES
                + Integer.BYTES;
        ByteBuffer out = ByteBuffer.allocate(size);
        out.putLong(CheckpointFormat.MANIFEST_MAGIC).putInt(merging ? MERGING_VERSION : CheckpointFormat.VERSION);
        out.putInt(size);
        out.putInt(group).putLong(index).putLong(term).putLong(epoch).putLong(logTimeMillis);
        out.putLong(keys);
        out.putInt(slots.size()).putInt(configuration.length).putInt(files.size());
        if (merging) {
            putMerging(out);
        }
        for (SlotSpan span : slots) {
            put(out, span);
        }
        out.put(configuration);
        for (CheckpointFile file : files) {
            out.put((byte) file.kind().code).putLong(file.number()).putLong(file.length());
            out.putInt(file.crc32c());
            put(out, file.slots());
            out.putLong(file.lastChange()).putLong(file.keys());
            out.putLong(file.keyBytes()).putLong(file.valueBytes());
        }
        out.putInt(crc(out.array(), size - Integer.BYTES));
        return out.array();
    }

    private void putMerging(ByteBuffer out) {
        GivenSlots away = given;
        out.putLong(versionOffset).put((byte) (away == null ? 0 : 1));
        if (away == null) {
            out.putLong(0).putInt(0).putInt(0).putLong(0);
        } else {
            out.putLong(away.epoch());
            put(out, away.slots());
            out.putInt(away.to()).putLong(away.versionFloor());
        }
    }

    private static void put(ByteBuffer out, SlotSpan span) {
        out.putShort((short) span.first()).putShort((short) span.last());
    }

    /**
     * From bytes.
     *
     * @throws MalformedCheckpointException if they are no manifest of a known version
     */
    public static CheckpointManifest decode(byte[] bytes) {
        if (bytes.length < FIXED_BYTES + Integer.BYTES) {
            throw new MalformedCheckpointException(bytes.length, "a manifest ends early");
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (in.getLong() != CheckpointFormat.MANIFEST_MAGIC) {
            throw new MalformedCheckpointException(0, "no manifest of a checkpoint");
        }
        int crcOffset = bytes.length - Integer.BYTES;
        boolean isWhole = in.getInt(crcOffset) == crc(bytes, crcOffset);
        int version = in.getInt();
        if (version != CheckpointFormat.VERSION && version != MERGING_VERSION) {
            throw new MalformedCheckpointException(
                    Long.BYTES,
                    "a manifest of version " + Integer.toUnsignedString(version) + ", known are "
                            + CheckpointFormat.VERSION + " and " + MERGING_VERSION,
                    isWhole);
        }
        int size = in.getInt();
        if (size != bytes.length) {
            throw new MalformedCheckpointException(
                    LENGTH_OFFSET,
                    "a manifest of " + Integer.toUnsignedString(size) + " bytes, but there are " + bytes.length);
        }
        if (!isWhole) {
            throw new MalformedCheckpointException(crcOffset, "the checksum of a manifest is wrong");
        }
        try {
            return decodeBody(in, crcOffset, version == MERGING_VERSION);
        } catch (IllegalArgumentException e) {
            throw new MalformedCheckpointException(in.position(), "a manifest with " + e.getMessage());
        }
    }

    private static CheckpointManifest decodeBody(ByteBuffer in, int end, boolean merging) {
        int group = in.getInt();
        long index = in.getLong();
        long term = in.getLong();
        long epoch = in.getLong();
        long logTimeMillis = in.getLong();
        long keys = in.getLong();
        int spanCount = in.getInt();
        int configurationLength = in.getInt();
        int fileCount = in.getInt();
        if (merging && end - in.position() < MERGING_BYTES) {
            throw new IllegalArgumentException("an early end");
        }
        long versionOffset = merging ? in.getLong() : 0;
        GivenSlots given = merging ? given(in) : null;
        if (merging ? versionOffset == 0 && given == null && spanCount > 0 : spanCount == 0) {
            throw new IllegalArgumentException("another version than it needs");
        }
        if (spanCount < 0
                || configurationLength < 0
                || fileCount < 0
                || (long) spanCount * SPAN_BYTES + configurationLength + (long) fileCount * FILE_BYTES
                        != end - in.position()) {
            throw new IllegalArgumentException("parts that do not add up to its length");
        }
        List<SlotSpan> slots = new ArrayList<>(spanCount);
        for (int i = 0; i < spanCount; i++) {
            slots.add(span(in));
        }
        byte[] configuration = new byte[configurationLength];
        in.get(configuration);
        List<CheckpointFile> files = new ArrayList<>(fileCount);
        for (int i = 0; i < fileCount; i++) {
            files.add(new CheckpointFile(
                    kind(in.get()),
                    in.getLong(),
                    in.getLong(),
                    in.getInt(),
                    span(in),
                    in.getLong(),
                    in.getLong(),
                    in.getLong(),
                    in.getLong()));
        }
        return new CheckpointManifest(
                group, index, term, configuration, epoch, slots, logTimeMillis, keys, files, versionOffset, given);
    }

    private static @Nullable GivenSlots given(ByteBuffer in) {
        int there = in.get();
        long epoch = in.getLong();
        SlotSpan slots = span(in);
        int to = in.getInt();
        long versionFloor = in.getLong();
        if (there < 0 || there > 1 || to < 0) {
            throw new IllegalArgumentException("slots given away that make no sense");
        }
        return there == 0 ? null : new GivenSlots(epoch, slots, to, versionFloor);
    }

    private static SlotSpan span(ByteBuffer in) {
        return new SlotSpan(in.getShort() & 0xffff, in.getShort() & 0xffff);
    }

    private static CheckpointFile.Kind kind(int code) {
        for (CheckpointFile.Kind kind : CheckpointFile.Kind.values()) {
            if (kind.code == code) {
                return kind;
            }
        }
        throw new IllegalArgumentException("a file of kind " + code);
    }

    private static int crc(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }
}
