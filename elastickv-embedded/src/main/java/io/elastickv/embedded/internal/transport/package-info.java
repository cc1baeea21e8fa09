/**
 * The node's network: one JGroups channel per node, one fork of it per shard replica, and calls between nodes.
 *
 * <p>Only this package imports {@code org.jgroups}. It knows nothing of the packages above it: payloads are bytes.
 * docs/adr/0010 and 0011 give the reasons for its shape.
 */
@NullMarked
package io.elastickv.embedded.internal.transport;

import org.jspecify.annotations.NullMarked;
