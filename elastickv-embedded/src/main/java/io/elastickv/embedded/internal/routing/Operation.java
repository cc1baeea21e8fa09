package io.elastickv.embedded.internal.routing;

import io.elastickv.api.ElastickvException;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;

/** An operation on one shard under way: owned by the shard's client, on its loop. */
abstract class Operation {

    final long startNanos;
    final long deadlineNanos;
    int attempts;
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

    Operation(long startNanos, long deadlineNanos) {
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

        Write(Command command, long startNanos, long deadlineNanos, Completion<CommandResult> completion) {
            super(startNanos, deadlineNanos);
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

        final Completion<QueryResult> completion;

        Read(
                Query query,
                long maxStalenessNanos,
                long startNanos,
                long deadlineNanos,
                Completion<QueryResult> completion) {
            super(startNanos, deadlineNanos);
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
