package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.command.CommandLimits;
import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The contents of a file of a checkpoint, each block verified before any of it is given out. Only {@link #expectEnd} tells
 * whether the file as a whole is the one that the manifest means. Not thread-safe.
 */
public final class CheckpointInput {

    private final NodeFile file;
    private final String path;
    private final CheckpointFile expected;
    private final byte[] block = new byte[CheckpointOutput.BUFFER_BYTES];
    private final CRC32C ofBlock = new CRC32C();
    private final CRC32C ofFile = new CRC32C();

    private int at;
    private int end;
    /** Of the next byte of the file to be read. */
    private long position;

    private long contentBytes;
    private boolean atEnd;

    /** Reads and checks the header. */
    CheckpointInput(NodeFile file, String path, int group, CheckpointFile expected) throws IOException {
        this.file = file;
        this.path = path;
        this.expected = expected;
        long size = file.size();
        if (size != expected.length()) {
            throw damagedAt(
                    Math.min(size, expected.length()),
                    "it has " + size + " bytes, the manifest says " + expected.length());
        }
        readHeader(group);
    }

    private void readHeader(int group) throws IOException {
        int length = CheckpointFormat.FILE_HEADER_BYTES;
        read(0, length);
        int crcAt = length - Integer.BYTES;
        ofBlock.reset();
        ofBlock.update(block, 0, crcAt);
        if ((long) CheckpointFormat.LONG.get(block, 0) != CheckpointFormat.magicOf(expected.kind())) {
            throw damagedAt(0, "it does not begin as a file of kind " + expected.kind());
        }
        int version = (int) CheckpointFormat.INT.get(block, 8);
        if (version != CheckpointFormat.VERSION) {
            throw damagedAt(
                    8,
                    "format version " + Integer.toUnsignedString(version) + ", known is " + CheckpointFormat.VERSION);
        }
        if ((int) CheckpointFormat.INT.get(block, crcAt) != (int) ofBlock.getValue()) {
            throw damagedAt(crcAt, "the checksum of the header is wrong");
        }
        ByteBuffer wanted = ByteBuffer.wrap(CheckpointOutput.header(
                group,
                (long) CheckpointFormat.LONG.get(block, 16),
                expected.kind(),
                expected.slots(),
                expected.lastChange()));
        int differs = wanted.mismatch(ByteBuffer.wrap(block, 0, length));
        if (differs >= 0) {
            throw damagedAt(differs, "it is a file of another group, bucket or time");
        }
    }

    /** Whether there is more. */
    public boolean hasMore() throws IOException {
        return at < end || nextBlock();
    }

    /** One byte. */
    public int getByte() throws IOException {
        if (at == end && !nextBlock()) {
            throw damaged("it ends within a record");
        }
        return block[at++] & 0xff;
    }

    /** What {@link CheckpointOutput#putVarint} wrote. */
    public long getVarint() throws IOException {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            int next = getByte();
            value |= (long) (next & 0x7f) << shift;
            if (next < 0x80) {
                if ((next == 0 && shift > 0) || (shift == 63 && next > 1)) {
                    break;
                }
                return value;
            }
        }
        throw damaged("a malformed number");
    }

    /** A varint of a number that is not negative and at most {@code max}. */
    public long getNumber(long max) throws IOException {
        long value = getVarint();
        if (value < 0 || value > max) {
            throw damaged("the number " + Long.toUnsignedString(value) + " where at most " + max + " is possible");
        }
        return value;
    }

    /** A length of at most {@code max}, and at most what is left of the file, so that it can be allocated. */
    public int getLength(int max) throws IOException {
        long left = end - at + expected.length() - position;
        return (int) getNumber(Math.min(max, left));
    }

    /** So many bytes; the length is one that {@link #getLength} returned. */
    public byte[] getBytes(int length) throws IOException {
        byte[] bytes = new byte[length];
        int to = 0;
        while (to < length) {
            if (at == end && !nextBlock()) {
                throw damaged("it ends within a record");
            }
            int part = Math.min(length - to, end - at);
            System.arraycopy(block, at, bytes, to, part);
            at += part;
            to += part;
        }
        return bytes;
    }

    /** What to throw for contents that make no sense. */
    public CheckpointDamagedException damaged(String what) {
        return damagedAt(position - (end - at), what);
    }

    /** Gives the entries of a bucket to {@code sink}. */
    void readEntries(CheckpointSink sink) throws IOException {
        while (hasMore()) {
            int keyLength = getLength(CommandLimits.MAX_KEY_BYTES);
            if (keyLength == 0) {
                throw damaged("an empty key");
            }
            int valueLength = getLength(CommandLimits.MAX_VALUE_BYTES);
            long version = getNumber(Long.MAX_VALUE);
            long expiresAtMillis = getNumber(Long.MAX_VALUE);
            sink.entry(expected, getBytes(keyLength), getBytes(valueLength), version, expiresAtMillis);
        }
    }

    /** All must have been read, and be what the manifest means. */
    void expectEnd() throws IOException {
        if (hasMore()) {
            throw damaged("more than was expected");
        }
        if ((int) ofFile.getValue() != expected.crc32c()) {
            throw damagedAt(0, "the checksum of the whole file is not the manifest's");
        }
    }

    private boolean nextBlock() throws IOException {
        if (atEnd) {
            return false;
        }
        long start = position;
        read(0, CheckpointFormat.BLOCK_HEADER_BYTES);
        int length = (int) CheckpointFormat.INT.get(block, 0);
        if (length < 0 || length > CheckpointFormat.MAX_BLOCK_BYTES) {
            throw damagedAt(start, "a block of " + Integer.toUnsignedString(length) + " bytes");
        }
        read(CheckpointFormat.BLOCK_HEADER_BYTES, length == 0 ? Long.BYTES : length);
        ofBlock.reset();
        ofBlock.update(block, 0, Integer.BYTES);
        ofBlock.update(block, CheckpointFormat.BLOCK_HEADER_BYTES, length == 0 ? Long.BYTES : length);
        if ((int) CheckpointFormat.INT.get(block, Integer.BYTES) != (int) ofBlock.getValue()) {
            throw damagedAt(start, "the checksum of a block is wrong");
        }
        at = CheckpointFormat.BLOCK_HEADER_BYTES;
        end = at + length;
        contentBytes += length;
        if (length > 0) {
            return true;
        }
        if ((long) CheckpointFormat.LONG.get(block, at) != contentBytes) {
            throw damagedAt(start, "blocks are missing");
        }
        if (position != expected.length()) {
            throw damagedAt(position, "bytes behind the end");
        }
        atEnd = true;
        return false;
    }

    private void read(int to, int length) throws IOException {
        ByteBuffer target = ByteBuffer.wrap(block, to, length);
        while (target.hasRemaining()) {
            int count = file.read(target, position);
            if (count < 0) {
                throw damagedAt(position, "it ends early");
            }
            position += count;
        }
        ofFile.update(block, to, length);
    }

    private CheckpointDamagedException damagedAt(long offset, String what) {
        return new CheckpointDamagedException(path, offset, what);
    }
}
