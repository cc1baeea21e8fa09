package io.elastickv.embedded.internal.routing;

import io.elastickv.api.Bytes;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.raft.ProposalCallback;
import io.elastickv.embedded.internal.raft.ReadCallback;
import io.elastickv.embedded.internal.raft.ReplicaGroup;
import io.elastickv.embedded.internal.raft.core.Role;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import java.util.Collection;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The service of the local replica of one shard: proposes commands and answers queries, for the local router as for
 * forwarded ones. Called on the group's loop, but for {@link #queryLocally}.
 */
public final class ShardEndpoint {

    private static final Logger LOG = LoggerFactory.getLogger(ShardEndpoint.class);
    /** Reading so many keys is better not done on an event loop. */
    private static final int MANY_KEYS = 256;

    /** Told the outcome of a query, exactly once, on any thread; must not block. */
    interface QueryReply {
        /** The answer. */
        void answered(QueryResult result);

        /** No answer. */
        void refused(ProposalCallback.Refusal reason, @Nullable String leaderHint);
    }

    private final ReplicaGroup group;
    private final ShardStateMachine stateMachine;
    private final Executor readers;
    private final KeyRelief relief;

    /**
     * Makes the service.
     *
     * @param readers runs queries that may take long
     */
    public ShardEndpoint(ReplicaGroup group, ShardStateMachine stateMachine, Executor readers) {
        this.group = group;
        this.stateMachine = stateMachine;
        this.readers = readers;
        this.relief = new KeyRelief(stateMachine.meter()::lastReading);
    }

    /** The replica. */
    public ReplicaGroup group() {
        return group;
    }

    /** These keys are relieved from now on, and no others: their writes are admitted by a token bucket each. On the loop. */
    public void relieve(Collection<Bytes> keys) {
        relief.relieve(keys, group.loop().nowNanos());
    }

    /** Proposes a command; {@code envelope} passes to the log. The result given to the callback is a CommandResult. */
    public void write(byte[] envelope, ProposalCallback callback) {
        if (!relief.isEmpty() && group.status().role() == Role.LEADER && !admits(envelope)) {
            callback.notProposed(ProposalCallback.Refusal.OVERLOADED, null);
            return;
        }
        CommandCodec.stampTime(envelope, group.clockMillis());
        group.propose(envelope, callback);
    }

    private boolean admits(byte[] envelope) {
        return relief.admits(
                CommandCodec.decode(envelope).command(), group.loop().nowNanos());
    }

    /** Answers {@code query} with a state that contains everything acknowledged before this call. */
    void query(Query query, QueryReply reply) {
        group.read(new ReadCallback() {
            @Override
            public void ready(long leaderWallMillis) {
                run(query, () -> stateMachine.query(query, leaderWallMillis), reply);
            }

            @Override
            public void failed(ProposalCallback.Refusal reason, @Nullable String leaderHint) {
                reply.refused(reason, leaderHint);
            }
        });
    }

    /** Answers {@code query} with the state as it is; on any thread. */
    void queryLocally(Query query, QueryReply reply) {
        if (group.status().failed()) {
            reply.refused(ProposalCallback.Refusal.FAILED, null);
            return;
        }
        run(query, () -> stateMachine.queryLocal(query, group.loop().wallMillis()), reply);
    }

    private void run(Query query, Supplier<QueryResult> work, QueryReply reply) {
        if (!takesLong(query)) {
            answer(work, reply);
            return;
        }
        try {
            readers.execute(() -> answer(work, reply));
        } catch (RejectedExecutionException e) {
            LOG.debug("query refused, the node is closing", e);
            reply.refused(ProposalCallback.Refusal.FAILED, null);
        }
    }

    private static boolean takesLong(Query query) {
        return query instanceof Query.Scan
                || query instanceof Query.SlotKeys
                || query instanceof Query.RandomKey
                || (query instanceof Query.GetMany many && many.keys().size() > MANY_KEYS);
    }

    private void answer(Supplier<QueryResult> work, QueryReply reply) {
        QueryResult result;
        try {
            result = work.get();
        } catch (RuntimeException e) {
            LOG.warn("group {}: a query failed", group.groupId(), e);
            reply.refused(ProposalCallback.Refusal.FAILED, null);
            return;
        }
        reply.answered(result);
    }
}
