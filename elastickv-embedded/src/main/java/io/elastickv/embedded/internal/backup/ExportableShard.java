package io.elastickv.embedded.internal.backup;

import io.elastickv.embedded.internal.raft.ReplicaGroup;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * A replica of this node as exports see it.
 *
 * @param group the replica
 * @param busy whether its state is being held for something else; called on the group's loop
 * @param capture holds its state still; called on the group's loop; throws an {@link IllegalStateException} while another
 *     capture of it lasts
 */
public record ExportableShard(ReplicaGroup group, BooleanSupplier busy, Supplier<CapturedState> capture) {}
