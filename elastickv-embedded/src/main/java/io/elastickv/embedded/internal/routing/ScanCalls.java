package io.elastickv.embedded.internal.routing;

import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.InvalidRequestException.Reason;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.ScanCursor;
import io.elastickv.api.ScanPage;
import io.elastickv.api.UnsafeBytes;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.ScanPosition;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** The operations of the API on all keys, or on all of a slot. */
final class ScanCalls {

    private static final int MAX_SCAN_LIMIT = 10_000;

    private ScanCalls() {}

    static Call<ScanPage> scan(ScanCursor cursor, int limit) {
        if (limit < 1 || limit > MAX_SCAN_LIMIT) {
            throw ApiMapping.invalid(
                    Reason.INVALID_ARGUMENT, "scan limit = " + limit + ": must be within 1-" + MAX_SCAN_LIMIT);
        }
        ScanPosition from;
        if (cursor.isStart()) {
            from = new ScanPosition(0, 0, ThreadLocalRandom.current().nextInt(1, ScanPosition.MAX_SCAN_ID + 1));
        } else {
            try {
                from = ScanPosition.ofCursor(cursor.value());
            } catch (IllegalArgumentException e) {
                throw ApiMapping.invalid(Reason.INVALID_ARGUMENT, e.getMessage() + ": not a cursor of a scan");
            }
        }
        return (router, deadlineNanos, completion) -> router.whenOpen(
                deadlineNanos, completion, () -> scanFrom(router, from, limit, deadlineNanos, completion));
    }

    private static void scanFrom(
            Router router, ScanPosition from, int limit, long deadlineNanos, Completion<ScanPage> completion) {
        router.read(
                router.openTable().ofSlot(from.slot()),
                new Query.Scan(from.toCursor(), limit),
                ReadConsistency.linearizable(),
                deadlineNanos,
                ShardCalls.expecting(QueryResult.Page.class, new Completion<>() {
                    @Override
                    public void success(QueryResult.Page page) {
                        if (page.keys().isEmpty() && page.nextCursor() != 0) {
                            // An empty page would only cost the caller a round trip.
                            scanFrom(
                                    router, ScanPosition.ofCursor(page.nextCursor()), limit, deadlineNanos, completion);
                            return;
                        }
                        completion.success(
                                new ScanPage(ApiMapping.wrapAll(page.keys()), new ScanCursor(page.nextCursor())));
                    }

                    @Override
                    public void failure(ElastickvException failure) {
                        completion.failure(failure);
                    }
                }));
    }

    static Call<Long> size() {
        return (router, deadlineNanos, completion) -> router.whenOpen(deadlineNanos, completion, () -> {
            List<ShardRoute> shards = router.openTable().shards();
            long[] total = new long[1];
            Gather<Long> gather = new Gather<>(shards.size(), false, completion, () -> total[0]);
            for (ShardRoute shard : shards) {
                router.read(
                        shard,
                        new Query.Size(),
                        ReadConsistency.linearizable(),
                        deadlineNanos,
                        ShardCalls.expecting(
                                QueryResult.Count.class,
                                gather.<QueryResult.Count>part(count -> total[0] += count.count())));
            }
        });
    }

    static Call<Long> sizeOfSlot(int slot) {
        ApiMapping.checkSlot(slot);
        return ShardCalls.query(
                slot,
                new Query.SlotSize(slot),
                ReadConsistency.linearizable(),
                QueryResult.Count.class,
                QueryResult.Count::count);
    }

    static Call<List<Bytes>> keysOfSlot(int slot, int limit) {
        ApiMapping.checkSlot(slot);
        if (limit < 0) {
            throw ApiMapping.invalid(Reason.INVALID_ARGUMENT, "limit = " + limit + ": must not be negative");
        }
        if (limit == 0) {
            return (router, deadlineNanos, completion) -> completion.success(List.of());
        }
        return ShardCalls.query(
                slot,
                new Query.SlotKeys(slot, limit),
                ReadConsistency.linearizable(),
                QueryResult.Keys.class,
                keys -> ApiMapping.wrapAll(keys.keys()));
    }

    static Call<Optional<Bytes>> randomKey() {
        long seed = ThreadLocalRandom.current().nextLong();
        return (router, deadlineNanos, completion) -> router.whenOpen(deadlineNanos, completion, () -> {
            List<ShardRoute> shards = new ArrayList<>(router.openTable().shards());
            Collections.shuffle(shards, ThreadLocalRandom.current());
            randomKeyOf(router, shards, 0, seed, deadlineNanos, completion);
        });
    }

    private static void randomKeyOf(
            Router router,
            List<ShardRoute> shards,
            int next,
            long seed,
            long deadlineNanos,
            Completion<Optional<Bytes>> completion) {
        if (next == shards.size()) {
            completion.success(Optional.empty());
            return;
        }
        router.read(
                shards.get(next),
                new Query.RandomKey(seed),
                ReadConsistency.linearizable(),
                deadlineNanos,
                ShardCalls.expecting(QueryResult.Keys.class, new Completion<>() {
                    @Override
                    public void success(QueryResult.Keys keys) {
                        if (keys.keys().isEmpty()) {
                            randomKeyOf(router, shards, next + 1, seed, deadlineNanos, completion);
                        } else {
                            completion.success(
                                    Optional.of(UnsafeBytes.wrap(keys.keys().get(0))));
                        }
                    }

                    @Override
                    public void failure(ElastickvException failure) {
                        completion.failure(failure);
                    }
                }));
    }

    static Call<@Nullable Void> clear() {
        return (router, deadlineNanos, completion) -> router.whenOpen(deadlineNanos, completion, () -> {
            List<ShardRoute> shards = router.openTable().shards();
            Gather<@Nullable Void> gather = new Gather<>(shards.size(), true, completion, () -> null);
            for (ShardRoute shard : shards) {
                router.write(
                        shard,
                        new Command.Clear(),
                        0,
                        deadlineNanos,
                        ShardCalls.expecting(CommandResult.Done.class, gather.<CommandResult.Done>part(done -> {})));
            }
        });
    }
}
