package io.elastickv.embedded.corruption;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.random.RandomGenerator;

/** Damage done to one file, which can be undone. */
public final class Damage {

    /** What is done. */
    public enum Kind {
        /** One byte of a region gets another value. */
        FLIP,
        /** The file ends within a region. */
        CUT,
        /** The file is gone. */
        MISSING
    }

    private final FileRegion region;
    private final Kind kind;
    private final long offset;
    private final byte[] before;

    private Damage(FileRegion region, Kind kind, long offset, byte[] before) {
        this.region = region;
        this.kind = kind;
        this.offset = offset;
        this.before = before;
    }

    /** Does damage at a random place in {@code region}. */
    public static Damage inflict(FileRegion region, Kind kind, RandomGenerator random) throws IOException {
        byte[] before = Files.readAllBytes(region.file());
        long offset = region.offset() + (region.length() == 0 ? 0 : random.nextLong(region.length()));
        switch (kind) {
            case FLIP -> {
                byte flipped = (byte) (before[(int) offset] ^ (1 + random.nextInt(255)));
                try (FileChannel out = FileChannel.open(region.file(), StandardOpenOption.WRITE)) {
                    out.write(ByteBuffer.wrap(new byte[] {flipped}), offset);
                }
            }
            case CUT -> {
                try (FileChannel out = FileChannel.open(region.file(), StandardOpenOption.WRITE)) {
                    out.truncate(offset);
                }
            }
            case MISSING -> Files.delete(region.file());
        }
        return new Damage(region, kind, offset, before);
    }

    /** Makes the file what it was before. */
    public void undo() throws IOException {
        Files.write(region.file(), before);
    }

    /** What was done. */
    public Kind kind() {
        return kind;
    }

    /** Where. */
    public FileRegion region() {
        return region;
    }

    /** The damaged file. */
    public Path file() {
        return region.file();
    }

    @Override
    public String toString() {
        return kind + " at " + offset + " in " + region.name() + ", "
                + region.file().getFileName();
    }
}
