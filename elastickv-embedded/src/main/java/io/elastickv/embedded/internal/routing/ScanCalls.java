package io.elastickv.embedded.internal.routing;

import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.InvalidRequestException.Reason;
import io.elastickv.api.KeySlot;
import io.elastickv.api.OutcomeUnknownException;
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
import java.util.BitSet;
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
        // A position is a slot and a place in it, so it is as good for whoever owns that slot now.
        router.read(
                from.slot(),
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
            List<RouteTable.Run> runs = router.openTable().runs();
            long[] total = new long[1];
            Gather<Long> gather = new Gather<>(runs.size(), false, completion, () -> total[0]);
            for (RouteTable.Run run : runs) {
                count(router, run.first(), run.last(), 0, deadlineNanos, gather.part(count -> total[0] += count));
            }
        });
    }

    /** Counts the keys of slots whoever owns them: each shard says how far it could count. */
    private static void count(
            Router router, int first, int last, long before, long deadlineNanos, Completion<Long> completion) {
        router.read(
                first,
                new Query.CountSlots(first, last),
                ReadConsistency.linearizable(),
                deadlineNanos,
                ShardCalls.expecting(QueryResult.Counted.class, new Completion<>() {
                    @Override
                    public void success(QueryResult.Counted counted) {
                        long sum = before + counted.count();
                        if (counted.last() >= last) {
                            completion.success(sum);
                        } else {
                            count(router, counted.last() + 1, last, sum, deadlineNanos, completion);
                        }
                    }

                    @Override
                    public void failure(ElastickvException failure) {
                        completion.failure(failure);
                    }
                }));
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
            List<RouteTable.Run> runs = new ArrayList<>(router.openTable().runs());
            Collections.shuffle(runs, ThreadLocalRandom.current());
            randomKeyOf(router, runs, 0, seed, deadlineNanos, completion);
        });
    }

    private static void randomKeyOf(
            Router router,
            List<RouteTable.Run> runs,
            int next,
            long seed,
            long deadlineNanos,
            Completion<Optional<Bytes>> completion) {
        if (next == runs.size()) {
            // Perhaps a shard was divided meanwhile, and one half never asked: only a scan sees every slot.
            ScanPosition start = new ScanPosition(0, 0, 0);
            scanFrom(
                    router,
                    start,
                    1,
                    deadlineNanos,
                    ShardCalls.mapped(page -> page.keys().stream().findFirst(), completion));
            return;
        }
        router.readFrom(
                runs.get(next).owner().id(),
                new Query.RandomKey(seed),
                ReadConsistency.linearizable(),
                deadlineNanos,
                ShardCalls.expecting(QueryResult.Keys.class, new Completion<>() {
                    @Override
                    public void success(QueryResult.Keys keys) {
                        if (keys.keys().isEmpty()) {
                            randomKeyOf(router, runs, next + 1, seed, deadlineNanos, completion);
                        } else {
                            completion.success(
                                    Optional.of(UnsafeBytes.wrap(keys.keys().get(0))));
                        }
                    }

                    @Override
                    public void failure(ElastickvException failure) {
                        if (router.route(runs.get(next).owner().id()) == null) {
                            // Its slots are others' by now, which are asked as well.
                            randomKeyOf(router, runs, next + 1, seed, deadlineNanos, completion);
                        } else {
                            completion.failure(failure);
                        }
                    }
                }));
    }

    static Call<@Nullable Void> clear() {
        return (router, deadlineNanos, completion) -> router.whenOpen(deadlineNanos, completion, () -> {
            BitSet left = new BitSet(KeySlot.COUNT);
            left.set(0, KeySlot.COUNT);
            clear(router, left, false, deadlineNanos, completion);
        });
    }

    @SuppressWarnings("NullAway") // it does not see that the type of the result allows null
    private static void succeed(Completion<@Nullable Void> completion) {
        completion.success(null);
    }

    /**
     * Clears the shards that own the slots that are left, then those that own what is left of them: a shard that was divided
     * after its owner was looked up clears only its part, and says which. One that has got slots of another one meanwhile
     * may clear them twice.
     */
    private static void clear(
            Router router, BitSet left, boolean begun, long deadlineNanos, Completion<@Nullable Void> completion) {
        List<Integer> slots = new ArrayList<>();
        for (RouteTable.Run run : router.openTable().runs()) {
            int slot = left.nextSetBit(run.first());
            if (slot >= 0 && slot <= run.last()) {
                slots.add(slot);
            }
        }
        Gather<Boolean> gather = new Gather<>(
                slots.size(),
                true,
                new Completion<>() {
                    @Override
                    public void success(Boolean done) {
                        if (left.isEmpty()) {
                            succeed(completion);
                        } else {
                            clear(router, left, true, deadlineNanos, completion);
                        }
                    }

                    @Override
                    public void failure(ElastickvException failure) {
                        completion.failure(
                                begun && !(failure instanceof OutcomeUnknownException)
                                        ? new OutcomeUnknownException(
                                                "some slots are cleared and others not: " + failure.getMessage(),
                                                failure)
                                        : failure);
                    }
                },
                () -> true);
        for (int slot : slots) {
            router.write(
                    slot,
                    new Command.ClearAround(slot),
                    0,
                    deadlineNanos,
                    ShardCalls.expecting(
                            CommandResult.Cleared.class,
                            gather.<CommandResult.Cleared>part(
                                    cleared -> left.clear(cleared.first(), cleared.last() + 1))));
        }
    }
}
