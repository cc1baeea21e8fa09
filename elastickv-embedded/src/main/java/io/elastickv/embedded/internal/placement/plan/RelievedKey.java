package io.elastickv.embedded.internal.placement.plan;

import io.elastickv.api.Bytes;

/**
 * A key whose reads are spread over the replicas of its shard and whose writes are admitted by a token bucket.
 *
 * @param slot its slot
 * @param key the key
 */
public record RelievedKey(int slot, Bytes key) {}
