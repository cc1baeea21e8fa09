package io.elastickv.embedded.internal.storage;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * What a checkpoint consists of. Once its manifest is durable, a checkpoint exists. Immutable; arrays must not be changed.
 *
 * @param group the id of the Raft group
 * @param index the entries of the log up to here are in it
 * @param term the term of the entry at {@code index}
 * @param configuration of the group at {@code index}, as the consensus encodes it
 * @param epoch of the shard's ownership
 * @param slots those that the shard owns, in order
 * @param logTimeMillis the log's time at {@code index}
 * @param keys how many keys there are
 * @param files in the order in which they are read; the position in this list is what "file" means to readers
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
        List<CheckpointFile> files) {

    private static final int FIXED_BYTES = 72;
    private static final int SPAN_BYTES = 4;
    private static final int FILE_BYTES = 57;
    private static final int LENGTH_OFFSET = 12;

    /** Far more than any manifest has. */
    static final int MAX_BYTES = FIXED_BYTES
            + (SlotSpan.MAX_SLOT + 1) * SPAN_BYTES
            + CheckpointFormat.MAX_CONFIGURATION_BYTES
            + CheckpointFormat.MAX_FILES * FILE_BYTES
            + Integer.BYTES;

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
        if (slots.isEmpty()) {
            throw new IllegalArgumentException("no slots");
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
        int size = FIXED_BYTES
                + slots.size() * SPAN_BYTES
                + configuration.length
                + files.size() * FILE_BYTES
                + Integer.BYTES;
        ByteBuffer out = ByteBuffer.allocate(size);
        out.putLong(CheckpointFormat.MANIFEST_MAGIC).putInt(CheckpointFormat.VERSION);
        out.putInt(size);
        out.putInt(group).putLong(index).putLong(term).putLong(epoch).putLong(logTimeMillis);
        out.putLong(keys);
        out.putInt(slots.size()).putInt(configuration.length).putInt(files.size());
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
        if (version != CheckpointFormat.VERSION) {
            throw new MalformedCheckpointException(
                    Long.BYTES,
                    "a manifest of version " + Integer.toUnsignedString(version) + ", known is "
                            + CheckpointFormat.VERSION,
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
            return decodeBody(in, crcOffset);
        } catch (IllegalArgumentException e) {
            throw new MalformedCheckpointException(in.position(), "a manifest with " + e.getMessage());
        }
    }

    private static CheckpointManifest decodeBody(ByteBuffer in, int end) {
        int group = in.getInt();
        long index = in.getLong();
        long term = in.getLong();
        long epoch = in.getLong();
        long logTimeMillis = in.getLong();
        long keys = in.getLong();
        int spanCount = in.getInt();
        int configurationLength = in.getInt();
        int fileCount = in.getInt();
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
        return new CheckpointManifest(group, index, term, configuration, epoch, slots, logTimeMillis, keys, files);
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
