package io.elastickv.embedded.internal.raft.core;

import org.jspecify.annotations.Nullable;

/**
 * What became of a proposal. Only {@link Accepted} has appended anything; every other outcome means for certain that
 * the command will never be applied. An accepted entry whose term ends before it is committed has an unknown outcome
 * until the entry at its index is applied: it is ours if the term is the one told here, and lost for good otherwise.
 */
public sealed interface Proposal {

    /**
     * The entries are in the leader's log at {@code firstIndex} and following.
     *
     * @param firstIndex index of the first of them
     * @param term the term of all of them
     */
    record Accepted(long firstIndex, long term) implements Proposal {}

    /**
     * Not appended: this member does not lead.
     *
     * @param leaderHint the member believed to lead, or null
     */
    record NotLeader(@Nullable String leaderHint) implements Proposal {}

    /** Not appended: too much is waiting to be committed. */
    record Overloaded() implements Proposal {}

    /**
     * Not appended: leadership is being handed over.
     *
     * @param target the member that is to lead next
     */
    record TransferInProgress(String target) implements Proposal {}

    /**
     * Not appended: a change of the members that is not possible now.
     *
     * @param reason why, for people
     */
    record Refused(String reason) implements Proposal {}
}
