package io.elastickv.embedded.internal.raft;

/** What a replica group applies committed commands to. */
public interface StateMachine {

    /**
     * Applies a committed command. Called on the group's loop, in log order, once per index; must not block and must be
     * deterministic. An exception is fatal for the replica.
     *
     * @param index the entry's log index
     * @param payload the command; must not be changed
     * @return the result, handed to the proposer if it is on this node
     */
    Object apply(long index, byte[] payload);

    /** The entry at {@code index} holds no command. Called like {@link #apply}, in the same order. */
    default void passOver(long index) {}

    /** The largest time, in milliseconds since 1970, that a command has carried; on the group's loop. */
    long timeMillis();
}
