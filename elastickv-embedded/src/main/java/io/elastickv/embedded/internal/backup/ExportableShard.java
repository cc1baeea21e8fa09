package io.elastickv.embedded.internal.backup;

import io.elastickv.embedded.internal.raft.ReplicaGroup;
import java.util.function.Supplier;

/**
 * A replica of this node as exports see it.
 *
 * @param group the replica
 * @param capture holds its state still; called on the group's loop; throws an {@link IllegalStateException} while another
 *     capture of it lasts
 */
public record ExportableShard(ReplicaGroup group, Supplier<CapturedState> capture) {}
