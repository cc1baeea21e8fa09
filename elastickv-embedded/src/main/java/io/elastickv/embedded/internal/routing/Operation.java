package io.elastickv.embedded.internal.routing;

import io.elastickv.api.ElastickvException;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import org.jspecify.annotations.Nullable;

/**
 * An operation under way: owned by the client of the shard that it is at, on that client's loop. When its slot has become
 * another shard's it goes to that one's client, with all that is known of it.
 */
abstract class Operation {

    /** In place of a slot: it is for a shard, whatever that owns. */
    static final int NO_SLOT = -1;

    final int slot;
    final long startNanos;
    final long deadlineNanos;
    /** Whose it is now; null on its way from one to another. Others only compare it with themselves. */
    @Nullable
    ShardClient holder;

    int attempts;
    /** The attempts at the present shard. */
    int attemptsHere;
    /** How often the present shard has said that it does not own the slot. */
    int misses;
    /** Counts the attempts handed on, so that a late answer to an abandoned attempt is recognised. */
    int currentAttempt;

    boolean attemptPending;
    long attemptDeadlineNanos;
    long retryAtNanos = Long.MIN_VALUE;
    boolean done;
    /** What it holds of the router's admission in bytes; -1 for the library's own operations, which hold nothing. */
    int admittedBytes = -1;
    /** Whether the last refusal was for overload. */
    boolean overloaded;
    /** What the last failed attempt said, for the message of the final error. */
    String lastProblem = "no leader is known";

    Operation(int slot, long startNanos, long deadlineNanos) {
        this.slot = slot;
        this.startNanos = startNanos;
        this.deadlineNanos = deadlineNanos;
    }

    abstract void fail(ElastickvException failure);

    /** A command. */
    static final class Write extends Operation {
        final Command command;
        final Completion<CommandResult> completion;
        /** 0 until it has a place in a session. */
        long sessionId;

        long sequence;
        /** Whether an attempt ended, or is, in a way that leaves open whether the command takes effect. */
        boolean maybeApplied;
        /** In whose session it is; it may be elsewhere itself. */
        @Nullable
        ShardClient home;
        /** What may be acknowledged with it as long as it is away from home: a lower bound. */
        long ackedBelow;
        /** Whether it has ended, as far as its home knows; of the home's loop. */
        boolean ended;

        Write(int slot, Command command, long startNanos, long deadlineNanos, Completion<CommandResult> completion) {
            super(slot, startNanos, deadlineNanos);
            this.command = command;
            this.completion = completion;
        }

        @Override
        void fail(ElastickvException failure) {
            completion.failure(failure);
        }
    }

    /** A query. */
    static final class Read extends Operation {
        final Query query;
        /** How old the answer may be: 0 for linearizable, {@link Long#MAX_VALUE} for whatever the replica has. */
        final long maxStalenessNanos;
        /**
         * For a query about several slots, the table by which they were found to be in one shard: the query is not moved, its
         * asker divides it anew by a newer table. Null for all other queries.
         */
        final @Nullable RouteTable dividedBy;

        final Completion<QueryResult> completion;

        Read(
                int slot,
                @Nullable RouteTable dividedBy,
                Query query,
                long maxStalenessNanos,
                long startNanos,
                long deadlineNanos,
                Completion<QueryResult> completion) {
            super(slot, startNanos, deadlineNanos);
            this.dividedBy = dividedBy;
            this.query = query;
            this.maxStalenessNanos = maxStalenessNanos;
            this.completion = completion;
        }

        boolean anyStaleness() {
            return maxStalenessNanos == Long.MAX_VALUE;
        }

        @Override
        void fail(ElastickvException failure) {
            completion.failure(failure);
        }
    }
}
