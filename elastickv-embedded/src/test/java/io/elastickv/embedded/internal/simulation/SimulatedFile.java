package io.elastickv.embedded.internal.simulation;

import io.elastickv.embedded.internal.simulation.SimulatedDisk.Unsynced;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;

/** A file of a {@link SimulatedDisk}: its bytes, and what the sectors held that were written since the last sync. */
final class SimulatedFile {

    private static final int SECTOR = 512;

    private record PreImage(int sector, byte[] bytes) {}

    private byte[] content = {};
    private int size;
    private int durableSize;
    private int lastWriteStart;

    /** Sectors that differ, or may, from what is on the platter. */
    private final BitSet dirty = new BitSet();

    private final List<PreImage> preImages = new ArrayList<>();

    /** What pre-images were kept in, to be used again. */
    private final ArrayDeque<byte[]> free = new ArrayDeque<>();

    /**
     * Sectors that the operating system takes for clean, though they never got to the disk: a power cut takes them back
     * unless they are written and synced again.
     */
    private final List<PreImage> forgotten = new ArrayList<>();

    long size() {
        return size;
    }

    int read(ByteBuffer target, long position) {
        if (position >= size) {
            return -1;
        }
        int length = (int) Math.min(target.remaining(), size - position);
        target.put(content, (int) position, length);
        return length;
    }

    void write(ByteBuffer source, int length, long position) {
        int start = (int) position;
        int end = start + length;
        if (length == 0) {
            return;
        }
        for (int sector = start / SECTOR; sector <= (end - 1) / SECTOR; sector++) {
            if (!dirty.get(sector)) {
                dirty.set(sector);
                preImages.add(new PreImage(sector, sector(sector)));
            }
        }
        if (end > content.length) {
            content = Arrays.copyOf(content, Math.max(end, Math.min(2 * content.length, content.length + (64 << 10))));
        }
        size = Math.max(size, end);
        source.get(content, start, length);
        lastWriteStart = start;
    }

    private byte[] sector(int sector) {
        int from = sector * SECTOR;
        byte[] bytes = free.poll();
        if (bytes == null) {
            bytes = new byte[SECTOR];
        }
        int length = Math.max(0, Math.min(SECTOR, size - from));
        if (length > 0) {
            System.arraycopy(content, from, bytes, 0, length);
        }
        Arrays.fill(bytes, length, SECTOR, (byte) 0);
        return bytes;
    }

    void force() {
        if (!forgotten.isEmpty()) {
            forgotten.removeIf(image -> dirty.get(image.sector));
        }
        for (int i = 0; i < preImages.size() && free.size() < 16; i++) {
            free.push(preImages.get(i).bytes);
        }
        dirty.clear();
        preImages.clear();
        durableSize = size;
    }

    /** A sync that failed: what it was to write counts as written from now on, some of it is. */
    void forgetDirty(SplittableRandom random) {
        for (PreImage image : preImages) {
            if (random.nextBoolean() && forgotten.stream().noneMatch(old -> old.sector == image.sector)) {
                forgotten.add(image);
            }
        }
        dirty.clear();
        preImages.clear();
        durableSize = size;
    }

    /** A sync in which the power went. */
    void halfForce(SplittableRandom random) {
        preImages.removeIf(image -> {
            boolean written = random.nextBoolean();
            if (written) {
                dirty.clear(image.sector);
            }
            return written;
        });
        durableSize = random.nextBoolean() ? size : durableSize;
    }

    void powerCut(Unsynced unsynced, SplittableRandom random) {
        if (unsynced != Unsynced.KEPT) {
            int odds = unsynced == Unsynced.LOST ? 10 : 1 + random.nextInt(9);
            for (PreImage image : preImages) {
                if (random.nextInt(10) < odds) {
                    restore(image);
                }
            }
            forgotten.forEach(this::restore);
            int shorter = Math.min(size, durableSize);
            int longer = Math.max(size, durableSize);
            int kept = unsynced == Unsynced.LOST
                    ? durableSize
                    : switch (random.nextInt(3)) {
                        case 0 -> shorter;
                        case 1 -> longer;
                        default -> shorter + random.nextInt(longer - shorter + 1);
                    };
            if (kept < size) {
                Arrays.fill(content, kept, size, (byte) 0);
            }
            size = Math.min(kept, content.length);
        }
        forgotten.clear();
        force();
    }

    private void restore(PreImage image) {
        int from = image.sector * SECTOR;
        if (from < content.length) {
            System.arraycopy(image.bytes, 0, content, from, Math.min(SECTOR, content.length - from));
        }
    }

    /** How many bytes at the beginning a flip may hit. */
    int flippable() {
        return Math.min(lastWriteStart, durableSize);
    }

    String flip(SplittableRandom random) {
        int at = random.nextInt(flippable());
        int bit = random.nextInt(8);
        content[at] ^= (byte) (1 << bit);
        for (PreImage image : preImages) {
            if (image.sector == at / SECTOR) {
                image.bytes[at % SECTOR] ^= (byte) (1 << bit);
            }
        }
        return at + ", bit " + bit;
    }
}
