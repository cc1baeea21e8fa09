package io.elastickv.embedded.internal.raft;

import io.elastickv.embedded.internal.raft.core.Configuration;
import org.jspecify.annotations.Nullable;

/** Told what happens to a group. Called on the group's loop; must not block. */
public interface GroupListener {

    /** The leader or the term changed. */
    void leaderChanged(int groupId, long term, @Nullable String leader);

    /** The members, by their ids, are these for sure: told once at the start, and when a change of them is committed. */
    default void configurationChanged(int groupId, Configuration committed) {}

    /** The replica stopped for good. */
    void failed(int groupId, String reason, Throwable cause);
}
