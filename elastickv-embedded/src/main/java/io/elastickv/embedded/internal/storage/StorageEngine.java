package io.elastickv.embedded.internal.storage;

import org.jspecify.annotations.Nullable;

/** What keeps the entries. */
public enum StorageEngine {
    /** Chronicle Map: outside the heap, so the garbage collector never sees the entries. Needs flags of the JVM. */
    OFF_HEAP,
    /** Plain Java objects: no flags, more memory per entry, and the garbage collector's time. */
    HEAP;

    /** A bucket that was loaded will grow. */
    private static final double LOAD_RESERVE = 1.25;

    private static final String FLAGS = "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED"
            + " --add-opens=java.base/java.lang=ALL-UNNAMED"
            + " --add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED";

    private static final String NEWER_FLAGS =
            " --sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED";

    /** The flags that {@link #OFF_HEAP} needs in a JVM of this feature version, or profits from. */
    public static String requiredFlags(int featureVersion) {
        return featureVersion >= 23
                ? FLAGS + NEWER_FLAGS
                : featureVersion == 22 ? FLAGS + " --enable-native-access=ALL-UNNAMED" : FLAGS;
    }

    /**
     * Checks that the engine works in this JVM, and warms it up: takes a second at the first time.
     *
     * @throws StorageException if not; the message has the flags to add and names the alternative
     */
    public void checkStart() {
        if (this == HEAP) {
            return;
        }
        checkOpen("java.lang.reflect", "java.lang");
        GateRef gate = new GateRef(new ReaderGate());
        try {
            Bucket bucket = newBucket(gate, StorageOptions.DEFAULTS);
            byte[] probe = {1};
            bucket.put(probe, probe, 1, 0);
            bucket.find(probe);
            bucket.forEach((key, expiresAtMillis) -> {});
            bucket.close();
        } catch (RuntimeException | LinkageError | AssertionError e) {
            throw new StorageException(message("Chronicle Map does not start in this JVM"), e);
        }
    }

    Bucket newBucket(GateRef gate, StorageOptions options) {
        return this == HEAP ? new HeapBucket() : new ChronicleBucket(gate, options);
    }

    /** A bucket for what a file has; null for what is not known. */
    Bucket newBucket(GateRef gate, StorageOptions options, @Nullable CheckpointFile expected) {
        if (this == HEAP || expected == null || expected.keys() == 0) {
            return newBucket(gate, options);
        }
        double keys = expected.keys();
        return new ChronicleBucket(
                gate,
                options,
                Math.max(options.initialEntries(), (long) (keys * LOAD_RESERVE)),
                Math.max(1, expected.keyBytes() / keys),
                Math.min(options.maxInlineValueBytes(), Math.max(1, expected.valueBytes() / keys)));
    }

    private static void checkOpen(String... packages) {
        for (String name : packages) {
            if (!Object.class.getModule().isOpen(name, StorageEngine.class.getModule())) {
                throw new StorageException(message("this JVM keeps java.base/" + name + " closed"));
            }
        }
    }

    private static String message(String problem) {
        int feature = Runtime.version().feature();
        return "The off-heap storage cannot be used: " + problem + ". Start the JVM (Java " + feature + ") with\n  "
                + requiredFlags(feature)
                + "\nor choose the heap storage, StorageEngine.HEAP, which needs no flags.";
    }
}
