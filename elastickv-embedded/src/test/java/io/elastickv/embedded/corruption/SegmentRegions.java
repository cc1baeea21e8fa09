package io.elastickv.embedded.corruption;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The regions of a segment of the write-ahead log, by docs/formats.md. Stops where no frame begins. */
final class SegmentRegions {

    private static final int HEADER_BYTES = 4096;
    private static final int FRAME_MAGIC = 0x454b5646;
    private static final int FRAME_HEADER_BYTES = 40;
    private static final int RECORD_HEADER_BYTES = 32;
    private static final int ZEROS_LOOKED_AT = 64 * 1024;

    private final String kind;
    private final Path file;
    private final ByteBuffer bytes;
    private final List<FileRegion> regions = new ArrayList<>();

    private SegmentRegions(String kind, Path file) throws IOException {
        this.kind = kind;
        this.file = file;
        this.bytes = ByteBuffer.wrap(Files.readAllBytes(file));
    }

    static List<FileRegion> of(String kind, Path file) throws IOException {
        return new SegmentRegions(kind, file).read();
    }

    private void add(String region, long offset, long length) {
        if (length > 0) {
            regions.add(new FileRegion(kind, region, file, offset, length));
        }
    }

    private List<FileRegion> read() {
        if (bytes.limit() < HEADER_BYTES) {
            add("all", 0, bytes.limit());
            return regions;
        }
        add("header, magic", 0, 8);
        add("header, version", 8, 4);
        add("header, flags", 12, 4);
        add("header, number", 16, 8);
        add("header, salt", 24, 8);
        add("header, end of the one before", 32, 8);
        add("header, further fields", 40, 20);
        add("header, checksum", 60, 4);
        add("header, unused", 64, HEADER_BYTES - 64L);
        int at = HEADER_BYTES;
        while (isFrame(at)) {
            int end = at + FRAME_HEADER_BYTES + bytes.getInt(at + 4);
            frame(at, end, (isFrame(end) ? "" : "last ") + (bytes.getInt(at + 32) == 0 ? "mark" : "frame"));
            at = end;
        }
        // Or what the segment had in an earlier life.
        add("behind the last frame", at, Math.min(bytes.limit() - at, ZEROS_LOOKED_AT));
        return regions;
    }

    /** By the fields that make it a frame of this segment and place. */
    private boolean isFrame(int at) {
        return at + FRAME_HEADER_BYTES <= bytes.limit()
                && bytes.getInt(at) == FRAME_MAGIC
                && bytes.getInt(at + 4) >= 0
                && at + FRAME_HEADER_BYTES + bytes.getInt(at + 4) <= bytes.limit()
                && bytes.getLong(at + 8) == bytes.getLong(16)
                && bytes.getLong(at + 16) == at
                && bytes.getLong(at + 24) == bytes.getLong(24);
    }

    private void frame(int at, int end, String what) {
        add(what + ", magic", at, 4);
        add(what + ", length", at + 4L, 4);
        add(what + ", place", at + 8L, 16);
        add(what + ", salt", at + 24L, 8);
        add(what + ", records", at + 32L, 4);
        add(what + ", checksum", at + 36L, 4);
        for (int record = at + FRAME_HEADER_BYTES; record + RECORD_HEADER_BYTES <= end; ) {
            int length = bytes.getInt(record + 4);
            if (length < 0 || length > end - record) {
                break;
            }
            add("record, checksum", record, 4);
            add("record, length", record + 4L, 4);
            add("record, type", record + 8L, 2);
            add("record, zero", record + 10L, 2);
            add("record, group", record + 12L, 4);
            add("record, index", record + 16L, 8);
            add("record, term", record + 24L, 8);
            add("record, payload", record + RECORD_HEADER_BYTES, length);
            int payloadEnd = record + RECORD_HEADER_BYTES + length;
            record = (payloadEnd + 7) / 8 * 8;
            add("record, padding", payloadEnd, record - payloadEnd);
        }
    }
}
