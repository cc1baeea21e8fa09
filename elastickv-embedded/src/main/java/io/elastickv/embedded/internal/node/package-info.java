/** The node: configuration, directory, formation of the cluster, wiring of shards, life cycle, view of the cluster. */
@NullMarked
package io.elastickv.embedded.internal.node;

import org.jspecify.annotations.NullMarked;
