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

    /** A scan or an expiry pass holds up writers for one segment at most. */
    private static final int SEGMENTS = 4;

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
        long enough = Math.max(entries, (long) Math.ceil(SEGMENTS * minTierBytes / averageEntryBytes));
        return ChronicleMapBuilder.of(byte[].class, byte[].class)
                .name("elastickv")
                .entries(enough)
                .averageKeySize(averageKeyBytes)
                .averageValueSize(averageValueBytes)
                .actualSegments(SEGMENTS)
                .maxBloatFactor(MAX_BLOAT_FACTOR)
                .putReturnsNull(true)
                .removeReturnsNull(true)
                .skipCloseOnExitHook(true)
                .create();
    }

    /** The largest entry of a map of keys and inline values. */
    static int maxEntryBytes(StorageOptions options) {
        return CommandLimits.MAX_KEY_BYTES + options.maxInlineValueBytes() + 64;
    }
}
