package io.elastickv.embedded.corruption;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

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
    private final byte @Nullable [] after;

    private Damage(FileRegion region, Kind kind, long offset, byte[] before, byte @Nullable [] after) {
        this.region = region;
        this.kind = kind;
        this.offset = offset;
        this.before = before;
        this.after = after;
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
        byte[] after = kind == Kind.MISSING ? null : Files.readAllBytes(region.file());
        return new Damage(region, kind, offset, before, after);
    }

    /** Makes the file what it was before. */
    public void undo() throws IOException {
        Files.write(region.file(), before);
    }

    /**
     * Undoes it in a checkpoint's file if nobody else has: a node leaves damaged ones lie until they are replaced, and the next
     * damage shall be the only one. The node must be down.
     */
    public void undoInCheckpoint() throws IOException {
        boolean checkpoint = region.kind().contains("checkpoint");
        byte[] now = Files.exists(region.file()) ? Files.readAllBytes(region.file()) : null;
        if (checkpoint && Files.exists(region.file().getParent()) && Arrays.equals(now, after)) {
            undo();
        }
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
