package io.elastickv.embedded.internal.routing;

import io.elastickv.api.ElastickvException;
import io.elastickv.api.KeySlot;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.UnavailableException;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Calls on one shard: a command or a query, and what becomes of its result. */
final class ShardCalls {

    private ShardCalls() {}

    static <R extends CommandResult, T> Call<T> command(
            int slot, Command command, int bytes, Class<R> type, Function<R, T> map) {
        return (router, deadlineNanos, completion) -> router.whenOpen(
                deadlineNanos,
                completion,
                () -> router.write(slot, command, bytes, deadlineNanos, expecting(type, mapped(map, completion))));
    }

    static <R extends QueryResult, T> Call<T> query(
            int slot, Query query, ReadConsistency consistency, Class<R> type, Function<R, T> map) {
        return (router, deadlineNanos, completion) -> router.whenOpen(
                deadlineNanos,
                completion,
                () -> router.read(slot, query, consistency, deadlineNanos, expecting(type, mapped(map, completion))));
    }

    static <R, T> Completion<R> mapped(Function<R, T> map, Completion<T> completion) {
        return new Completion<>() {
            @Override
            public void success(R result) {
                completion.success(map.apply(result));
            }

            @Override
            public void failure(ElastickvException failure) {
                completion.failure(failure);
            }
        };
    }

    /** Takes results of the one type that is expected; of all others there is only the one that {@link #unexpected} tells. */
    static <S, R extends S> Completion<S> expecting(Class<R> type, Completion<R> completion) {
        return new Completion<>() {
            @Override
            public void success(S result) {
                if (type.isInstance(result)) {
                    completion.success(type.cast(result));
                } else {
                    completion.failure(unexpected(-1, result));
                }
            }

            @Override
            public void failure(ElastickvException failure) {
                completion.failure(failure);
            }
        };
    }

    /** There are no such answers, but for nodes of another version. */
    static ElastickvException unexpected(int slot, Object result) {
        return new UnavailableException((slot < 0 ? "" : "slot " + slot + ": ") + "the shard answered "
                + result.getClass().getSimpleName());
    }

    static Map<ShardRoute, List<byte[]>> byShard(RouteTable table, List<byte[]> keys) {
        Map<ShardRoute, List<byte[]>> parts = new LinkedHashMap<>();
        for (byte[] key : keys) {
            parts.computeIfAbsent(table.ofSlot(KeySlot.of(key)), s -> new ArrayList<>())
                    .add(key);
        }
        return parts;
    }
}
