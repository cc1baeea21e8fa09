/**
 * The way of an operation: key to slot to shard to leader, with a local fast path, forwarding, retries until the
 * caller's deadline, and exactly-once through sessions.
 */
@NullMarked
package io.elastickv.embedded.internal.routing;

import org.jspecify.annotations.NullMarked;
