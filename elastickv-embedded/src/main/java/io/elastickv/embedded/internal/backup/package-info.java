/**
 * Backups of the whole cluster: a consistent cut over all shards (the leaders hold writes back for a moment), its way to
 * the node that asked, the file, and the way back. Knows the shards and the network, but not how a node is put together.
 */
@NullMarked
package io.elastickv.embedded.internal.backup;

import org.jspecify.annotations.NullMarked;
