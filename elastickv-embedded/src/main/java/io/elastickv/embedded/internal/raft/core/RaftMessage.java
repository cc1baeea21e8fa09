package io.elastickv.embedded.internal.raft.core;

import java.util.List;

/**
 * What the members of a group say to each other. Sender and receiver travel outside the message: the host names the
 * sender by its member name, never by its address.
 *
 * <p>The network may lose, duplicate, reorder and delay messages at will; it may not forge or corrupt them.
 */
public sealed interface RaftMessage {

    /** The sender's term; in {@link PreVoteRequest} the term it would campaign in. */
    long term();

    /**
     * "Would you vote for me?" (Ongaro, 9.6). Changes nothing at the receiver.
     *
     * @param term the term the sender would campaign in: its own plus one
     * @param lastIndex index of the sender's last entry
     * @param lastTerm term of that entry
     */
    record PreVoteRequest(long term, long lastIndex, long lastTerm) implements RaftMessage {}

    /**
     * Answer to a {@link PreVoteRequest}.
     *
     * @param term the voter's own term
     * @param campaignTerm the term asked about
     * @param granted whether the voter would vote for the candidate
     */
    record PreVoteResponse(long term, long campaignTerm, boolean granted) implements RaftMessage {}

    /**
     * RequestVote (Ongaro, figure 3.1).
     *
     * @param term the candidate's term
     * @param lastIndex index of the candidate's last entry
     * @param lastTerm term of that entry
     * @param leadershipTransfer the leader itself asked for this election (Ongaro, 3.10): voters do not hold on to it
     */
    record VoteRequest(long term, long lastIndex, long lastTerm, boolean leadershipTransfer) implements RaftMessage {}

    /**
     * Answer to a {@link VoteRequest}. A granted vote is for {@code term} and for the member it is sent to.
     *
     * @param term the voter's term
     * @param granted whether the voter voted for the candidate in that term
     */
    record VoteResponse(long term, boolean granted) implements RaftMessage {}

    /**
     * AppendEntries (Ongaro, figure 3.1); without entries a heartbeat, a probe or a read round.
     *
     * @param term the leader's term
     * @param prevIndex index of the entry before {@code entries}
     * @param prevTerm term of that entry
     * @param commitIndex the leader's commit index
     * @param round number of the newest read round in this term (Ongaro, 6.4), 0 before the first
     * @param entries entries from {@code prevIndex + 1} on, without gaps; not changed by anybody
     */
    record AppendRequest(long term, long prevIndex, long prevTerm, long commitIndex, long round, List<LogEntry> entries)
            implements RaftMessage {}

    /**
     * Answer to one or more {@link AppendRequest}s.
     *
     * @param term the follower's term
     * @param round the highest read round the follower has seen from this leader in this term
     * @param matched false if the entry before those sent is not in the follower's log
     * @param matchIndex up to here the follower's log is verified against this leader in this term <em>and</em> durable
     * @param verifiedIndex up to here it is verified, durable or not; 0 if not matched
     * @param rejectedIndex the {@code prevIndex} that did not match; 0 if matched
     * @param rejectHintIndex no later entry of the follower can match; 0 if matched
     * @param rejectHintTerm the term of the follower's entry at {@code rejectHintIndex}
     */
    record AppendResponse(
            long term,
            long round,
            boolean matched,
            long matchIndex,
            long verifiedIndex,
            long rejectedIndex,
            long rejectHintIndex,
            long rejectHintTerm)
            implements RaftMessage {}

    /**
     * The leader asks the receiver to campaign at once (Ongaro, 3.10).
     *
     * @param term the leader's term
     */
    record TimeoutNow(long term) implements RaftMessage {}

    /**
     * A follower asks for a read point (Ongaro, 6.4).
     *
     * @param term the follower's term
     * @param context returned with the answer; never used twice by a member, not even across a restart
     */
    record ReadIndexRequest(long term, long context) implements RaftMessage {}

    /**
     * Answer to a {@link ReadIndexRequest}.
     *
     * @param term the sender's term
     * @param context that of the request
     * @param index the read point: a commit index of the leader, 0 if not accepted
     * @param leaderWallMillis the leader's wall clock at that point, milliseconds since 1970
     * @param accepted false if the receiver of the request does not lead
     */
    record ReadIndexResponse(long term, long context, long index, long leaderWallMillis, boolean accepted)
            implements RaftMessage {}

    /**
     * The leader's log no longer has the entries that the receiver needs; it has to fetch a snapshot. How the state
     * travels is the host's business. Repeated with the heartbeats as long as it is true.
     *
     * @param term the leader's term
     * @param leastIndex the log goes on after this index: a snapshot must reach at least so far
     */
    record SnapshotRequired(long term, long leastIndex) implements RaftMessage {}

    /**
     * A member that has lost the end of its log asks its leader to forget what it acknowledged, and how far it has to
     * recover before it may vote.
     *
     * @param term the sender's term
     * @param context returned with the answer; never used twice by a member, not even across a restart
     */
    record MemoryLost(long term, long context) implements RaftMessage {}

    /**
     * Answer to {@link MemoryLost}.
     *
     * @param term the leader's term
     * @param context that of the request
     * @param lastIndex index of the leader's last entry: everything the sender ever acknowledged, and that counts, is
     *     at or before it
     */
    record RecoverUpTo(long term, long context, long lastIndex) implements RaftMessage {}
}
