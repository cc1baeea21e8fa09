/**
 * The deterministic state machine of a shard: what its log's entries do to its storage, exactly once, and how it is read.
 */
@NullMarked
package io.elastickv.embedded.internal.shard;

import org.jspecify.annotations.NullMarked;
