/**
 * Hosts the consensus core of each shard: event loops that own many groups, and the replica group that turns the core's
 * effects into log writes, messages and applied entries.
 */
@NullMarked
package io.elastickv.embedded.internal.raft;

import org.jspecify.annotations.NullMarked;
