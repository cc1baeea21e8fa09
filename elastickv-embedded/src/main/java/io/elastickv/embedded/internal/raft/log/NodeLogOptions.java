package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.files.NodeFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Objects;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * How to open a {@link NodeLog}.
 *
 * @param directory where the segments are; created if missing; its lock is the caller's business
 * @param nodeName part of the names of the log's threads
 * @param durability what a batch waits for
 * @param segmentBytes when to begin a new segment; a frame larger than that has a segment of its own
 * @param preallocateBytes how much of a segment is filled with zeros at a time, so that most syncs need not write
 *     metadata. Measured on ext4 with frames of 8 KiB, mean of write and sync: not preallocated 205 us, in steps of 1 MiB
 *     127 us, in steps of 4 MiB 101 us, the whole segment beforehand 103 us: steps of 4 MiB need no second thread
 * @param maxRecordBytes the largest payload of one entry
 * @param files the file system
 * @param salts where the salt of a new segment comes from: what is in a frame's header and no client can guess; never the
 *     same twice, as it tells the lives of a file apart
 * @param maxSpareSegments how many files of freed segments are kept to be written again; the others are deleted
 * @param stepping no threads: nothing happens but in {@link NodeLog#step}, on the caller's thread; for simulations
 * @param bootId names the run of the operating system, whose memory is gone when it ends; empty if unknown. Read once, when
 *     the log is opened
 */
public record NodeLogOptions(
        Path directory,
        String nodeName,
        Durability durability,
        long segmentBytes,
        int preallocateBytes,
        int maxRecordBytes,
        NodeFiles files,
        LongSupplier salts,
        int maxSpareSegments,
        boolean stepping,
        Supplier<String> bootId) {

    /** 64 MiB. */
    public static final long DEFAULT_SEGMENT_BYTES = 64L << 20;

    /** 4 MiB. */
    public static final int DEFAULT_PREALLOCATE_BYTES = 4 << 20;

    /** 64 MiB: several of the largest values (16 MiB) in one command. */
    public static final int DEFAULT_MAX_RECORD_BYTES = 64 << 20;

    /** 2: what a node writes while the oldest segments are being freed. */
    public static final int DEFAULT_MAX_SPARE_SEGMENTS = 2;

    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final SecureRandom RANDOM = new SecureRandom();

    public NodeLogOptions {
        Objects.requireNonNull(directory, "directory");
        Objects.requireNonNull(nodeName, "nodeName");
        Objects.requireNonNull(durability, "durability");
        Objects.requireNonNull(files, "files");
        Objects.requireNonNull(salts, "salts");
        Objects.requireNonNull(bootId, "bootId");
        require(segmentBytes >= 2 * LogFormat.SEGMENT_HEADER_BYTES, "segmentBytes", segmentBytes, "at least 8192");
        require(segmentBytes <= LogFormat.MAX_SEGMENT_BYTES, "segmentBytes", segmentBytes, "at most 16 GiB");
        require(preallocateBytes >= 512, "preallocateBytes", preallocateBytes, "at least 512");
        require(preallocateBytes <= 1 << 30, "preallocateBytes", preallocateBytes, "at most 1 GiB");
        require(maxRecordBytes > 0, "maxRecordBytes", maxRecordBytes, "positive");
        require(
                maxRecordBytes <= LogFormat.MAX_RECORD_BYTES,
                "maxRecordBytes",
                maxRecordBytes,
                "at most " + LogFormat.MAX_RECORD_BYTES);
        require(maxSpareSegments >= 0, "maxSpareSegments", maxSpareSegments, "at least 0");
    }

    /** The defaults, with {@link Durability#FSYNC}. */
    public static NodeLogOptions of(Path directory, String nodeName) {
        return new NodeLogOptions(
                directory,
                nodeName,
                Durability.FSYNC,
                DEFAULT_SEGMENT_BYTES,
                DEFAULT_PREALLOCATE_BYTES,
                DEFAULT_MAX_RECORD_BYTES,
                NodeFiles.system(),
                RANDOM::nextLong,
                DEFAULT_MAX_SPARE_SEGMENTS,
                false,
                NodeLogOptions::readBootId);
    }

    public NodeLogOptions withDurability(Durability value) {
        Draft draft = new Draft(this);
        draft.durability = value;
        return draft.options();
    }

    public NodeLogOptions withSegmentBytes(long value) {
        Draft draft = new Draft(this);
        draft.segmentBytes = value;
        return draft.options();
    }

    public NodeLogOptions withPreallocateBytes(int value) {
        Draft draft = new Draft(this);
        draft.preallocateBytes = value;
        return draft.options();
    }

    public NodeLogOptions withMaxRecordBytes(int value) {
        Draft draft = new Draft(this);
        draft.maxRecordBytes = value;
        return draft.options();
    }

    public NodeLogOptions withFiles(NodeFiles value) {
        Draft draft = new Draft(this);
        draft.files = value;
        return draft.options();
    }

    public NodeLogOptions withSalts(LongSupplier value) {
        Draft draft = new Draft(this);
        draft.salts = value;
        return draft.options();
    }

    public NodeLogOptions withMaxSpareSegments(int value) {
        Draft draft = new Draft(this);
        draft.maxSpareSegments = value;
        return draft.options();
    }

    public NodeLogOptions withBootId(Supplier<String> value) {
        Draft draft = new Draft(this);
        draft.bootId = value;
        return draft.options();
    }

    /** For one buffer: no more than a small segment has, as simulations have many logs. */
    int bufferBytes() {
        return (int) Math.max(16 << 10, Math.min(256 << 10, segmentBytes));
    }

    /** No threads: see {@link NodeLog#step}. */
    public NodeLogOptions withStepping() {
        Draft draft = new Draft(this);
        draft.stepping = true;
        return draft.options();
    }

    /** Linux tells; elsewhere every start counts as one without memory. */
    private static String readBootId() {
        try {
            return Files.readString(BOOT_ID).strip();
        } catch (IOException e) {
            return "";
        }
    }

    /** The options on the way to others. */
    private static final class Draft {
        private final NodeLogOptions from;
        private Durability durability;
        private long segmentBytes;
        private int preallocateBytes;
        private int maxRecordBytes;
        private NodeFiles files;
        private LongSupplier salts;
        private int maxSpareSegments;
        private boolean stepping;
        private Supplier<String> bootId;

        Draft(NodeLogOptions from) {
            this.from = from;
            durability = from.durability;
            segmentBytes = from.segmentBytes;
            preallocateBytes = from.preallocateBytes;
            maxRecordBytes = from.maxRecordBytes;
            files = from.files;
            salts = from.salts;
            maxSpareSegments = from.maxSpareSegments;
            stepping = from.stepping;
            bootId = from.bootId;
        }

        NodeLogOptions options() {
            return new NodeLogOptions(
                    from.directory,
                    from.nodeName,
                    durability,
                    segmentBytes,
                    preallocateBytes,
                    maxRecordBytes,
                    files,
                    salts,
                    maxSpareSegments,
                    stepping,
                    bootId);
        }
    }

    private static void require(boolean condition, String field, long value, String expected) {
        if (!condition) {
            throw new IllegalArgumentException(field + " is " + value + ", must be " + expected);
        }
    }
}
