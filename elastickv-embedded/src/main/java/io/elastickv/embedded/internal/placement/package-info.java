/**
 * Which nodes there are, which shards, and which replica is where: fixed at formation for now. A catalog that changes
 * while the cluster runs, and the planner that changes it, belong here.
 */
@NullMarked
package io.elastickv.embedded.internal.placement;

import org.jspecify.annotations.NullMarked;
