package io.elastickv.api;

import java.util.Optional;

/**
 * Where a key lives.
 *
 * @param slot its slot
 * @param shard the shard that owns the slot
 * @param leader the node that leads the shard, as far as known
 * @param epoch the shard's epoch
 */
public record KeyLocation(int slot, int shard, Optional<String> leader, long epoch) {}
