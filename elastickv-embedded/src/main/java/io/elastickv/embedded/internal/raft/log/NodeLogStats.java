package io.elastickv.embedded.internal.raft.log;

/**
 * Monotone counters since the log was opened. {@code records / frames} is how well group commit groups.
 *
 * @param fsyncs how often a file was synced, including preparations of new segments
 * @param frames group commits, each one write and (with {@link Durability#FSYNC}) one sync
 * @param batches batches that became durable
 * @param records records that became durable
 * @param bytes bytes of the frames written, headers included
 * @param recycledSegments segments written into the files of freed ones
 */
public record NodeLogStats(long fsyncs, long frames, long batches, long records, long bytes, long recycledSegments) {}
