package io.elastickv.embedded.internal.raft;

import org.jspecify.annotations.Nullable;

/** Told what happens to a group. Called on the group's loop; must not block. */
public interface GroupListener {

    /** The leader or the term changed. */
    void leaderChanged(int groupId, long term, @Nullable String leader);

    /** The replica stopped for good. */
    void failed(int groupId, String reason, Throwable cause);
}
