/**
 * Which nodes there are, which shards, and how that changes while the cluster runs. How a cluster was formed is a {@link
 * io.elastickv.embedded.internal.placement.ClusterLayout}. From then on it is what the catalog says, a {@link
 * io.elastickv.embedded.internal.placement.CatalogState} kept by a group of its own,
 * and changed by one {@link io.elastickv.embedded.internal.placement.PlacementDriver}: it carries out what the planner (package
 * {@code plan}) plans and what is asked for, as operations in persisted steps. What it works with are ports: {@link
 * io.elastickv.embedded.internal.placement.CatalogStore}, {@link io.elastickv.embedded.internal.placement.Sight}, {@link
 * io.elastickv.embedded.internal.placement.Actions}, {@link io.elastickv.embedded.internal.placement.EventSink}.
 */
@NullMarked
package io.elastickv.embedded.internal.placement;

import org.jspecify.annotations.NullMarked;
