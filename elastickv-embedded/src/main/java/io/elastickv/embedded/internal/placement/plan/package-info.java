/**
 * What is to be done to the placement, decided by a pure function: {@link
 * io.elastickv.embedded.internal.placement.plan.Planner} takes one moment of the catalog, the loads and the time, and gives
 * operations with their reasons in figures, and what it did not do and why. It reads no clock, throws no dice, does no I/O and
 * keeps nothing between calls; the order of its inputs does not matter and equals are told apart by number and name, so the same
 * question has the same answer on every node.
 *
 * <h2>A round</h2>
 *
 * A round begins with the cluster as it will be once all running operations have succeeded, and adds the effect of each
 * operation it plans, so that no problem is solved twice. The rules come in the order of
 * {@link io.elastickv.embedded.internal.placement.plan.Rule}, except that whole shards are transferred before any is split:
 *
 * <ol>
 *   <li>Replication: nodes that were down longer than the grace period are replaced, the shards with the fewest voters to spare
 *       first; the replication factor is followed; what failed operations left behind is cleared away. Always add before
 *       remove, never without a quorum. Then zones.
 *   <li>Drains: leaderships first, then replicas, then leave to go.
 *   <li>A key with nearly all of a hot shard's load is relieved.
 *   <li>Adjacent shards that were cold for long are merged.
 *   <li>Leaders are transferred from overloaded nodes; return to where they are preferred; are evened out.
 *   <li>A shard on a node that is overloaded still is split, if no transfer could help or no node could carry it, and its new
 *       half handed over in the same operation.
 *   <li>Replicas move by load, then by count where load says nothing.
 * </ol>
 *
 * <h2>Load</h2>
 *
 * Each replica costs what its applying costs, the leader also what operations and bytes cost, as one figure: nanoseconds of a core
 * per second. Transfers and splits follow a mean over some seconds. Moves of data, and the fine tuning of leaders, need the mean over
 * half a minute to say the same; without that, a hot spot that moves every minute drags data behind it.
 *
 * <h2>Why it comes to rest</h2>
 *
 * Nothing starts below {@code start} times the mean, and then it goes on to {@code stop}. A transfer or move must leave the
 * higher one of its two nodes lower by a clear {@code gain}, so it lowers the sum of the squares of the loads by at least twice
 * its cost times that gain, and under an unchanged load there can be neither a cycle nor an endless sequence. What evens out a
 * second measure (leaders, counts) may not take a node above {@code stop} in the first. Shards much smaller than their node's
 * average are not worth an operation. A shard that was moved is left alone for a while; transfers have a budget per minute,
 * which bounds what a load costs that changes faster than it can be followed. While a node is away for a moment, no replica moves
 * for the sake of balance.
 *
 * <h2>Sources</h2>
 *
 * Effects of running operations in the next decision, limits per store and the order of leaders before regions: TiKV's placement
 * driver. Ranges split at the load's middle, replicas and leases moved by load, the minimum gain, the fraction of the mean
 * at which it begins, the five minutes of grace: CockroachDB's allocator and store rebalancer. Isolation of a hot item and splits that
 * are refused where they cannot help: DynamoDB (Elhemali et al., USENIX ATC 2022). Sum of squares as the potential: the usual argument for
 * diffusive load balancing (Cybenko, 1989). Hot keys: Space-Saving (Metwally et al., 2005).
 */
@NullMarked
package io.elastickv.embedded.internal.placement.plan;

import org.jspecify.annotations.NullMarked;
