package io.elastickv.embedded.internal.node;

import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.UnavailableException;
import io.elastickv.embedded.internal.node.AdminProtocol.Answer;
import io.elastickv.embedded.internal.node.AdminProtocol.Kind;
import io.elastickv.embedded.internal.node.AdminProtocol.Request;
import io.elastickv.embedded.internal.placement.Catalog;
import io.elastickv.embedded.internal.routing.Router;
import io.elastickv.embedded.internal.routing.ShardRoute;
import io.elastickv.embedded.internal.transport.NodeRpc;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Asks whoever leads the catalog, this node or another, again until the answer is one or the time is up. Every request may
 * be made more than once. Thread-safe; blocks.
 */
final class AdminClient {

    private static final long ATTEMPT_NANOS = 3_000_000_000L;
    private static final long PAUSE_MILLIS = 20;

    private final String self;
    private final Router router;
    private final NodeRpc rpc;
    private final Function<Request, CompletableFuture<Answer>> here;

    /**
     * Makes it.
     *
     * @param here answers what is asked of this node
     */
    AdminClient(String self, Router router, NodeRpc rpc, Function<Request, CompletableFuture<Answer>> here) {
        this.self = self;
        this.router = router;
        this.rpc = rpc;
        this.here = here;
    }

    /**
     * Asks.
     *
     * @throws InvalidRequestException if it is refused
     * @throws UnavailableException if there is no answer in time
     */
    Answer ask(Kind kind, List<String> arguments, long deadlineNanos) {
        Request request = new Request(kind, arguments);
        String problem = "no leader of the catalog is known";
        while (true) {
            Answer answer = attempt(request, deadlineNanos);
            if (answer != null) {
                switch (answer.state()) {
                    case DONE -> {
                        return answer;
                    }
                    case REFUSED ->
                        throw new InvalidRequestException(
                                InvalidRequestException.Reason.INVALID_ARGUMENT, answer.text());
                    case LATER -> problem = answer.text();
                    case NOT_DRIVER -> problem = "the node that led the catalog does not any more";
                }
            }
            if (System.nanoTime() - deadlineNanos >= 0 || !pause()) {
                throw new UnavailableException("node " + self + ": " + problem);
            }
        }
    }

    /** Asks once; null if nobody is known to ask, or there is no answer. */
    @Nullable
    Answer attempt(Request request, long deadlineNanos) {
        ShardRoute route = router.route(Catalog.GROUP);
        String leader = route == null ? null : route.leader();
        if (leader == null) {
            return null;
        }
        long nanos = Math.max(1, Math.min(deadlineNanos - System.nanoTime(), ATTEMPT_NANOS));
        CompletableFuture<Answer> future = leader.equals(self) ? here.apply(request) : call(leader, request, nanos);
        try {
            return future.get(nanos, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        } catch (ExecutionException | TimeoutException e) {
            return null;
        }
    }

    private CompletableFuture<Answer> call(String leader, Request request, long nanos) {
        CompletableFuture<Answer> future = new CompletableFuture<>();
        rpc.call(leader, AdminProtocol.METHOD_ADMIN, request.encode(), nanos, new RpcCallback() {
            @Override
            public void success(ByteBuffer bytes) {
                try {
                    future.complete(Answer.decode(bytes));
                } catch (IllegalArgumentException e) {
                    future.completeExceptionally(e);
                }
            }

            @Override
            public void failure(RpcFailure failure) {
                future.completeExceptionally(new IllegalStateException(failure.name()));
            }
        });
        return future;
    }

    private static boolean pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
