package io.elastickv.embedded.internal.raft.log;

/**
 * The entries asked for are not in the log any more: a checkpoint holds what they did. Nothing is wrong with the log; who
 * lacks them needs the checkpoint. A read may also meet it when the base moved meanwhile.
 */
public final class EntriesGoneException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    EntriesGoneException(int groupId, long index, long firstIndex) {
        super("group " + groupId + ": asked for entry " + index + ", the first is " + firstIndex);
    }
}
