package io.elastickv.embedded.internal.raft;

import io.elastickv.embedded.internal.raft.core.RaftMessage;

/** Sends a group's messages. May drop, delay, duplicate and reorder; must not block. */
public interface GroupTransport {

    /** Sends {@code message} to the member {@code peer} (its {@link MemberId}) of group {@code groupId}, if it can. */
    void send(String peer, int groupId, RaftMessage message);
}
