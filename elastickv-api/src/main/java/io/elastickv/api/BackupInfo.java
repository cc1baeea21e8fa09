package io.elastickv.api;

import java.time.Instant;

/**
 * What is in a backup.
 *
 * @param clusterId the cluster it was taken of, see {@link ClusterView#clusterId()}
 * @param takenAt when, by the clock of the node that wrote it
 * @param shards how many shards that cluster had
 * @param entries how many entries there are: one for each key, but that a key which was changed while its shard was being
 *     written may have two, with equal contents
 * @param bytes the length of the file
 */
public record BackupInfo(String clusterId, Instant takenAt, int shards, long entries, long bytes) {}
