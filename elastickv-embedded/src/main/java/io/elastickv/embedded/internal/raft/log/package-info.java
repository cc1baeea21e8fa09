/**
 * The write-ahead log: one per node, shared by all Raft groups of the node, so that one fdatasync makes the waiting
 * writes of every group durable (group commit).
 *
 * <p>{@link io.elastickv.embedded.internal.raft.log.NodeLog} is the entrance. The bytes on disk are described in
 * {@code docs/formats.md}.
 */
@NullMarked
package io.elastickv.embedded.internal.raft.log;

import org.jspecify.annotations.NullMarked;
