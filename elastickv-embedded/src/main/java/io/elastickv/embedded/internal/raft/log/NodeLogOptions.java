package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.files.NodeFiles;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Objects;
import java.util.function.LongSupplier;

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
 * @param salts where the salt of a new segment comes from: what is in a frame's header and no client can guess
 */
public record NodeLogOptions(
        Path directory,
        String nodeName,
        Durability durability,
        long segmentBytes,
        int preallocateBytes,
        int maxRecordBytes,
        NodeFiles files,
        LongSupplier salts) {

    /** 64 MiB. */
    public static final long DEFAULT_SEGMENT_BYTES = 64L << 20;

    /** 4 MiB. */
    public static final int DEFAULT_PREALLOCATE_BYTES = 4 << 20;

    /** 64 MiB: several of the largest values (16 MiB) in one command. */
    public static final int DEFAULT_MAX_RECORD_BYTES = 64 << 20;

    private static final SecureRandom RANDOM = new SecureRandom();

    public NodeLogOptions {
        Objects.requireNonNull(directory, "directory");
        Objects.requireNonNull(nodeName, "nodeName");
        Objects.requireNonNull(durability, "durability");
        Objects.requireNonNull(files, "files");
        Objects.requireNonNull(salts, "salts");
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
                RANDOM::nextLong);
    }

    public NodeLogOptions withDurability(Durability value) {
        return new NodeLogOptions(
                directory, nodeName, value, segmentBytes, preallocateBytes, maxRecordBytes, files, salts);
    }

    public NodeLogOptions withSegmentBytes(long value) {
        return new NodeLogOptions(
                directory, nodeName, durability, value, preallocateBytes, maxRecordBytes, files, salts);
    }

    public NodeLogOptions withPreallocateBytes(int value) {
        return new NodeLogOptions(directory, nodeName, durability, segmentBytes, value, maxRecordBytes, files, salts);
    }

    public NodeLogOptions withMaxRecordBytes(int value) {
        return new NodeLogOptions(directory, nodeName, durability, segmentBytes, preallocateBytes, value, files, salts);
    }

    public NodeLogOptions withFiles(NodeFiles value) {
        return new NodeLogOptions(
                directory, nodeName, durability, segmentBytes, preallocateBytes, maxRecordBytes, value, salts);
    }

    public NodeLogOptions withSalts(LongSupplier value) {
        return new NodeLogOptions(
                directory, nodeName, durability, segmentBytes, preallocateBytes, maxRecordBytes, files, value);
    }

    private static void require(boolean condition, String field, long value, String expected) {
        if (!condition) {
            throw new IllegalArgumentException(field + " is " + value + ", must be " + expected);
        }
    }
}
