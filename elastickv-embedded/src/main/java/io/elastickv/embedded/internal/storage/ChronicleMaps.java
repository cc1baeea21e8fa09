package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.command.CommandLimits;
import java.util.logging.Level;
import java.util.logging.Logger;
import net.openhft.chronicle.map.ChronicleMap;
import net.openhft.chronicle.map.ChronicleMapBuilder;

/** Creates the off-heap maps, all configured alike but for their sizes. */
final class ChronicleMaps {

    /** How often a map may grow by its initial size; growing makes it slower, so this is a reserve (see {@link ChronicleGenerations}). */
    private static final double MAX_BLOAT_FACTOR = 10;

    /**
     * A scan, an expiry pass or a checkpoint holds up writers to one segment at a time: for 0.7 ms when it has as many entries
     * as this (140 ns each were measured for copying those of 125 bytes).
     */
    private static final int ENTRIES_PER_SEGMENT = 4096;

    /** Likewise for long entries. */
    private static final double BYTES_PER_SEGMENT = 2 << 20;

    private static final int MIN_SEGMENTS = 4;
    private static final int MAX_SEGMENTS = 1 << 14;

    /** What a segment's tier must at least hold: the longest key with the longest inline value, several times. */
    private static final long MIN_TIER_BYTES = 512 * 1024;

    /** Warns that it cannot use internals of the JDK that nothing here needs. Held, or the level would be forgotten. */
    private static final Logger CLEANER_LOG =
            Logger.getLogger("net.openhft.chronicle.core.internal.cleaner.ReflectionBasedByteBufferCleanerService");

    static {
        System.setProperty("chronicle.announcer.disable", "true");
        System.setProperty("chronicle.analytics.disable", "true");
        CLEANER_LOG.setLevel(Level.SEVERE);
        ChronicleMutableStateLoader.load();
    }

    private ChronicleMaps() {}

    /**
     * Creates a map in memory.
     *
     * @param entries how many entries it holds before it becomes slower
     * @param averageKeyBytes of these keys
     * @param averageValueBytes and these values
     * @param maxEntryBytes the largest entry that may come
     */
    static ChronicleMap<byte[], byte[]> create(
            long entries, double averageKeyBytes, double averageValueBytes, int maxEntryBytes) {
        double averageEntryBytes = averageKeyBytes + averageValueBytes;
        long minTierBytes = Math.max(MIN_TIER_BYTES, 4L * maxEntryBytes);
        int segments = segments(entries, averageEntryBytes);
        long enough = Math.max(entries, (long) Math.ceil(segments * minTierBytes / averageEntryBytes));
        return ChronicleMapBuilder.of(byte[].class, byte[].class)
                .name("elastickv")
                .entries(enough)
                .averageKeySize(averageKeyBytes)
                .averageValueSize(averageValueBytes)
                .actualSegments(segments)
                .maxBloatFactor(MAX_BLOAT_FACTOR)
                .putReturnsNull(true)
                .removeReturnsNull(true)
                .skipCloseOnExitHook(true)
                .create();
    }

    private static int segments(long entries, double averageEntryBytes) {
        double wanted =
                Math.max((double) entries / ENTRIES_PER_SEGMENT, entries * averageEntryBytes / BYTES_PER_SEGMENT);
        int segments = MIN_SEGMENTS;
        while (segments < wanted && segments < MAX_SEGMENTS) {
            segments *= 2;
        }
        return segments;
    }

    /** The largest entry of a map of keys and inline values. */
    static int maxEntryBytes(StorageOptions options) {
        return CommandLimits.MAX_KEY_BYTES + options.maxInlineValueBytes() + 64;
    }
}
