package io.elastickv.embedded.internal.storage;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Constants of the files of checkpoints; see docs/formats.md. All numbers are big-endian. */
final class CheckpointFormat {

    static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);

    static final int VERSION = 1;

    /** "EKVCKM", CR, LF. */
    static final long MANIFEST_MAGIC = 0x454B56434B4D0D0AL;
    /** "EKVCKB", CR, LF. */
    static final long BUCKET_MAGIC = 0x454B56434B420D0AL;
    /** "EKVCKS", CR, LF. */
    static final long SESSIONS_MAGIC = 0x454B56434B530D0AL;

    static final String MANIFEST_SUFFIX = ".manifest";
    static final String TEMPORARY_SUFFIX = ".tmp";

    static final int FILE_HEADER_BYTES = 48;
    static final int BLOCK_HEADER_BYTES = 8;
    /** Large enough that headers and calls do not count, small enough to stay in a cache. */
    static final int MAX_BLOCK_BYTES = 64 * 1024;

    static final int END_BYTES = BLOCK_HEADER_BYTES + Long.BYTES;

    /** More than any shard has: a bucket for each slot, and a few. */
    static final int MAX_FILES = 20_000;

    static final int MAX_CONFIGURATION_BYTES = 1 << 20;

    /** Longer values count with so many bytes in a manifest's sum, which is there to size the maps by. */
    static final int SIZED_VALUE_BYTES = 16 * 1024;

    private CheckpointFormat() {}

    static long magicOf(CheckpointFile.Kind kind) {
        return kind == CheckpointFile.Kind.BUCKET ? BUCKET_MAGIC : SESSIONS_MAGIC;
    }

    static String manifestName(long index) {
        return String.format("%016x", index) + MANIFEST_SUFFIX;
    }
}
