/**
 * Which nodes there are, which shards, and how that changes while the cluster runs. How a cluster was formed is a {@link
 * io.elastickv.embedded.internal.placement.ClusterLayout}. From then on it is what the catalog says, a {@link
 * io.elastickv.embedded.internal.placement.CatalogState} kept by a group of its own.
 */
@NullMarked
package io.elastickv.embedded.internal.placement;

import org.jspecify.annotations.NullMarked;
