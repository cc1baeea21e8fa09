package io.elastickv.embedded.internal.backup;

import io.elastickv.embedded.internal.backup.BackupProtocol.MalformedAnswerException;
import io.elastickv.embedded.internal.backup.BackupProtocol.Refusal;
import io.elastickv.embedded.internal.backup.BackupProtocol.Request;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The calls of a node that exports, as futures. Thread-safe. */
final class LeaderCalls {

    /** Calls another node, or this one. */
    @FunctionalInterface
    interface Rpc {
        /** See {@link io.elastickv.embedded.internal.transport.NodeRpc#call}. */
        void call(String node, int method, byte[] payload, long timeoutNanos, RpcCallback callback);
    }

    /**
     * The end of a call.
     *
     * @param value what was granted; null otherwise
     * @param refusal why not; null if it was granted, or nothing was heard
     * @param problem for people; empty if it was granted
     */
    record Outcome<T>(@Nullable T value, @Nullable Refusal refusal, String problem) {}

    private final Rpc rpc;

    LeaderCalls(Rpc rpc) {
        this.rpc = rpc;
    }

    /** Asks {@code node}; the future never fails. */
    <T> CompletableFuture<Outcome<T>> ask(
            String node, int method, Request request, long timeoutNanos, Function<ByteBuffer, T> decode) {
        CompletableFuture<Outcome<T>> future = new CompletableFuture<>();
        rpc.call(node, method, BackupProtocol.encode(request), timeoutNanos, new RpcCallback() {
            @Override
            public void success(ByteBuffer answer) {
                Outcome<T> outcome;
                try {
                    Refusal refusal = BackupProtocol.refusal(answer);
                    outcome = refusal == null
                            ? new Outcome<>(decode.apply(answer), null, "")
                            : new Outcome<>(null, refusal, "node " + node + ": " + refusal.reason());
                } catch (MalformedAnswerException e) {
                    outcome = new Outcome<>(null, null, "node " + node + " gave " + e.getMessage());
                }
                future.complete(outcome);
            }

            @Override
            public void failure(RpcFailure failure) {
                future.complete(new Outcome<>(
                        null,
                        null,
                        "node " + node + (failure == RpcFailure.NOT_SENT ? " cannot be reached" : " did not answer")));
            }
        });
        return future;
    }

    /** Tells {@code node} that its part of an export is not needed any more; whether that arrives is not known. */
    void end(String node, long export, int shard) {
        tell(node, BackupProtocol.METHOD_END, new Request(export, shard, 0));
    }

    /** Tells {@code node} that its part of an export is still wanted; whether that arrives is not known. */
    void keepAlive(String node, long export, int shard) {
        tell(node, BackupProtocol.METHOD_FETCH, new Request(export, shard, BackupProtocol.NO_BLOCK));
    }

    private void tell(String node, int method, Request request) {
        rpc.call(node, method, BackupProtocol.encode(request), 1_000_000_000L, new RpcCallback() {
            @Override
            public void success(ByteBuffer answer) {}

            @Override
            public void failure(RpcFailure failure) {}
        });
    }

    /** Waits for the end of a call, which has a timeout of its own. */
    static <T> Outcome<T> await(CompletableFuture<Outcome<T>> call) throws InterruptedException {
        try {
            return call.get(1, TimeUnit.HOURS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("a call has no end", e);
        }
    }
}
