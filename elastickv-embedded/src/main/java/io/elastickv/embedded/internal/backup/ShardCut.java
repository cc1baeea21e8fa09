package io.elastickv.embedded.internal.backup;

/**
 * Where one shard was cut, and how much of it there is.
 *
 * @param shard the shard's number
 * @param term the term of the leader that made the cut
 * @param index all entries of the shard's log up to here are in the backup, none behind it
 * @param logTimeMillis the shard's time there: what had expired by then is left out
 * @param blocks how many blocks of entries
 * @param entries how many entries
 */
record ShardCut(int shard, long term, long index, long logTimeMillis, long blocks, long entries) {}
