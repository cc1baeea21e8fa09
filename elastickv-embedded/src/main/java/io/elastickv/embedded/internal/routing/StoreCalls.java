package io.elastickv.embedded.internal.routing;

import io.elastickv.api.Batch;
import io.elastickv.api.BatchResult;
import io.elastickv.api.Bytes;
import io.elastickv.api.Condition;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.Expiry;
import io.elastickv.api.ExpiryCondition;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.InvalidRequestException.Reason;
import io.elastickv.api.KeyInfo;
import io.elastickv.api.KeySlot;
import io.elastickv.api.Limits;
import io.elastickv.api.MultiGetResult;
import io.elastickv.api.MultiPutResult;
import io.elastickv.api.PutOptions;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.ScanCursor;
import io.elastickv.api.ScanPage;
import io.elastickv.api.UnavailableException;
import io.elastickv.api.UnsafeBytes;
import io.elastickv.api.VersionedValue;
import io.elastickv.api.WriteResult;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.ExpiryRule;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.ScanPosition;
import io.elastickv.embedded.internal.command.StoredValue;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The operations of the API as calls: arguments checked, mapped to commands and queries, results mapped back. */
final class StoreCalls {

    private static final int MAX_SCAN_LIMIT = 10_000;

    private StoreCalls() {}

    // ---- single-key reads

    static Call<Optional<VersionedValue>> get(Bytes key, ReadConsistency consistency) {
        byte[] k = checkKey(key);
        return query(KeySlot.of(k), new Query.Get(k), consistency, QueryResult.Value.class, r -> toApi(r.value()));
    }

    static Call<Optional<KeyInfo>> describe(Bytes key) {
        byte[] k = checkKey(key);
        return query(
                KeySlot.of(k),
                new Query.Describe(k),
                ReadConsistency.linearizable(),
                QueryResult.Described.class,
                r -> !r.exists()
                        ? Optional.empty()
                        : Optional.of(new KeyInfo(
                                r.version(),
                                r.valueLength(),
                                instant(r.expiresAtMillis()),
                                r.expiresAtMillis() == 0
                                        ? Optional.empty()
                                        : Optional.of(Duration.ofMillis(r.timeToLiveMillis())))));
    }

    // ---- single-key writes

    static <T> Call<T> put(Bytes key, Bytes value, PutOptions options, Function<CommandResult.Written, T> map) {
        byte[] k = checkKey(key);
        byte[] v = checkValue(value);
        Command command = new Command.Put(
                k, v, toCommand(options.condition()), toCommand(options.expiry()), options.returnsPrevious());
        return command(KeySlot.of(k), command, k.length + v.length, CommandResult.Written.class, map);
    }

    static Call<WriteResult> compareAndSet(Bytes key, Condition condition, Bytes value) {
        return put(key, value, PutOptions.defaults().when(condition).expiry(Expiry.keep()), StoreCalls::toApi);
    }

    static <T> Call<T> delete(
            Bytes key, Condition condition, boolean returnPrevious, Function<CommandResult.Written, T> map) {
        byte[] k = checkKey(key);
        Command command = new Command.Delete(k, toCommand(condition), returnPrevious);
        return command(KeySlot.of(k), command, k.length, CommandResult.Written.class, map);
    }

    static Call<Long> increment(Bytes key, long delta) {
        byte[] k = checkKey(key);
        int slot = KeySlot.of(k);
        return (router, deadlineNanos, completion) -> router.whenOpen(
                deadlineNanos,
                completion,
                () -> router.write(
                        router.openTable().ofSlot(slot),
                        new Command.Increment(k, delta),
                        k.length,
                        deadlineNanos,
                        new Completion<>() {
                            @Override
                            public void success(CommandResult result) {
                                if (result instanceof CommandResult.Incremented incremented) {
                                    completion.success(incremented.value());
                                } else if (result instanceof CommandResult.NotAnInteger) {
                                    completion.failure(invalid(
                                            Reason.NOT_AN_INTEGER,
                                            "the value of a key in slot " + slot + " is not a decimal 64-bit integer"));
                                } else if (result instanceof CommandResult.Overflow) {
                                    completion.failure(invalid(
                                            Reason.INTEGER_OVERFLOW,
                                            "adding " + delta + " to a key in slot " + slot + " would overflow"));
                                } else {
                                    completion.failure(unexpected(slot, result));
                                }
                            }

                            @Override
                            public void failure(ElastickvException failure) {
                                completion.failure(failure);
                            }
                        }));
    }

    static Call<Boolean> expire(Bytes key, Expiry expiry, ExpiryCondition condition) {
        byte[] k = checkKey(key);
        if (expiry instanceof Expiry.Keep) {
            throw invalid(Reason.INVALID_ARGUMENT, "expiry = keep: expire() needs an expiry to set");
        }
        ExpiryRule rule = switch (condition) {
            case ALWAYS -> ExpiryRule.ALWAYS;
            case IF_NONE -> ExpiryRule.IF_NONE;
            case IF_ANY -> ExpiryRule.IF_ANY;
            case IF_LATER -> ExpiryRule.IF_LATER;
            case IF_EARLIER -> ExpiryRule.IF_EARLIER;
        };
        return command(
                KeySlot.of(k),
                new Command.Expire(k, toCommand(expiry), rule),
                k.length,
                CommandResult.Expired.class,
                CommandResult.Expired::applied);
    }

    // ---- several keys

    static Call<MultiGetResult> getAll(Collection<Bytes> keys) {
        List<byte[]> asked = new ArrayList<>();
        for (Bytes key : new LinkedHashSet<>(keys)) {
            asked.add(checkKey(key));
        }
        boolean oneSlot = inOneSlot(asked);
        return (router, deadlineNanos, completion) -> router.whenOpen(deadlineNanos, completion, () -> {
            Map<ShardRoute, List<byte[]>> parts = byShard(router, asked);
            Map<Bytes, VersionedValue> found = new HashMap<>();
            Gather<MultiGetResult> gather = new Gather<>(parts.size(), false, completion, () -> {
                Map<Bytes, VersionedValue> inOrder = new LinkedHashMap<>();
                for (byte[] key : asked) {
                    Bytes wrapped = UnsafeBytes.wrap(key);
                    VersionedValue value = found.get(wrapped);
                    if (value != null) {
                        inOrder.put(wrapped, value);
                    }
                }
                return new MultiGetResult(Collections.unmodifiableMap(inOrder), oneSlot);
            });
            if (parts.isEmpty()) {
                completion.success(new MultiGetResult(Map.of(), true));
                return;
            }
            parts.forEach((shard, part) -> router.read(
                    shard,
                    new Query.GetMany(part),
                    ReadConsistency.linearizable(),
                    deadlineNanos,
                    map(QueryResult.Values.class, gather.<QueryResult.Values>part(values -> {
                        for (int i = 0; i < part.size(); i++) {
                            StoredValue value = values.values().get(i);
                            if (value != null) {
                                found.put(UnsafeBytes.wrap(part.get(i)), toApiValue(value));
                            }
                        }
                    }))));
        });
    }

    static Call<MultiPutResult> putAll(Map<Bytes, Bytes> entries) {
        Map<Integer, Map.Entry<List<byte[]>, List<byte[]>>> bySlot = new LinkedHashMap<>();
        Map<Integer, Integer> sizes = new LinkedHashMap<>();
        entries.forEach((key, value) -> {
            byte[] k = checkKey(key);
            byte[] v = checkValue(value);
            int slot = KeySlot.of(k);
            Map.Entry<List<byte[]>, List<byte[]>> part =
                    bySlot.computeIfAbsent(slot, s -> Map.entry(new ArrayList<>(), new ArrayList<>()));
            part.getKey().add(k);
            part.getValue().add(v);
            checkBatchBytes(sizes.merge(slot, k.length + v.length, Integer::sum));
        });
        int written = entries.size();
        return (router, deadlineNanos, completion) -> router.whenOpen(deadlineNanos, completion, () -> {
            if (bySlot.isEmpty()) {
                completion.success(new MultiPutResult(true, 0));
                return;
            }
            Gather<MultiPutResult> gather = new Gather<>(
                    bySlot.size(), true, completion, () -> new MultiPutResult(bySlot.size() == 1, written));
            bySlot.forEach((slot, part) -> router.write(
                    router.openTable().ofSlot(slot),
                    new Command.PutAll(part.getKey(), part.getValue()),
                    sizes.getOrDefault(slot, 0),
                    deadlineNanos,
                    mapWrite(CommandResult.Count.class, gather.<CommandResult.Count>part(count -> {}))));
        });
    }

    static Call<Long> deleteAll(Collection<Bytes> keys) {
        Map<Integer, List<byte[]>> bySlot = new LinkedHashMap<>();
        for (Bytes key : new LinkedHashSet<>(keys)) {
            byte[] k = checkKey(key);
            bySlot.computeIfAbsent(KeySlot.of(k), s -> new ArrayList<>()).add(k);
        }
        return (router, deadlineNanos, completion) -> router.whenOpen(deadlineNanos, completion, () -> {
            if (bySlot.isEmpty()) {
                completion.success(0L);
                return;
            }
            long[] deleted = new long[1];
            Gather<Long> gather = new Gather<>(bySlot.size(), true, completion, () -> deleted[0]);
            bySlot.forEach((slot, part) -> router.write(
                    router.openTable().ofSlot(slot),
                    new Command.DeleteAll(part),
                    part.size() * 32,
                    deadlineNanos,
                    mapWrite(
                            CommandResult.Count.class,
                            gather.<CommandResult.Count>part(count -> deleted[0] += count.count()))));
        });
    }

    static Call<BatchResult> execute(Batch batch) {
        List<Command.Requirement> requirements = new ArrayList<>();
        List<Command.Step> steps = new ArrayList<>();
        List<byte[]> keys = new ArrayList<>();
        long bytes = 0;
        for (Batch.Requirement requirement : batch.requirements()) {
            byte[] key = checkKey(requirement.key());
            keys.add(key);
            requirements.add(new Command.Requirement(key, toCommand(requirement.condition())));
            bytes += key.length
                    + (requirement.condition() instanceof Condition.ValueIs is
                            ? is.value().length()
                            : 0);
        }
        for (Batch.Step step : batch.steps()) {
            byte[] key = checkKey(step.key());
            keys.add(key);
            bytes += key.length;
            if (step instanceof Batch.Get) {
                steps.add(new Command.Get(key));
            } else if (step instanceof Batch.Delete) {
                steps.add(new Command.Delete(key, Precondition.ALWAYS, false));
            } else if (step instanceof Batch.Expire expire) {
                if (expire.expiry() instanceof Expiry.Keep) {
                    throw invalid(Reason.INVALID_ARGUMENT, "expiry = keep: an expire step needs an expiry to set");
                }
                steps.add(new Command.Expire(key, toCommand(expire.expiry()), ExpiryRule.ALWAYS));
            } else if (step instanceof Batch.Put put) {
                PutOptions options = put.options();
                byte[] value = checkValue(put.value());
                bytes += value.length;
                steps.add(new Command.Put(
                        key,
                        value,
                        toCommand(options.condition()),
                        toCommand(options.expiry()),
                        options.returnsPrevious()));
            }
        }
        if (keys.isEmpty()) {
            throw invalid(Reason.INVALID_ARGUMENT, "batch: has neither requirements nor steps");
        }
        checkBatchBytes(bytes);
        if (!inOneSlot(keys)) {
            throw invalid(
                    Reason.CROSS_SLOT,
                    "batch: its keys are in different slots; give them the same {hash tag} to bring them into one");
        }
        return command(
                KeySlot.of(keys.get(0)),
                new Command.AtomicBatch(requirements, steps),
                (int) bytes,
                CommandResult.BatchDone.class,
                done -> new BatchResult(
                        done.applied(),
                        done.results().stream().map(StoreCalls::toApi).toList()));
    }

    // ---- scans and counts

    static Call<ScanPage> scan(ScanCursor cursor, int limit) {
        if (limit < 1 || limit > MAX_SCAN_LIMIT) {
            throw invalid(Reason.INVALID_ARGUMENT, "scan limit = " + limit + ": must be within 1-" + MAX_SCAN_LIMIT);
        }
        ScanPosition from;
        if (cursor.isStart()) {
            from = new ScanPosition(0, 0, ThreadLocalRandom.current().nextInt(1, ScanPosition.MAX_SCAN_ID + 1));
        } else {
            try {
                from = ScanPosition.ofCursor(cursor.value());
            } catch (IllegalArgumentException e) {
                throw invalid(Reason.INVALID_ARGUMENT, e.getMessage() + ": not a cursor of a scan");
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
                map(QueryResult.Page.class, new Completion<>() {
                    @Override
                    public void success(QueryResult.Page page) {
                        if (page.keys().isEmpty() && page.nextCursor() != 0) {
                            // An empty page would only cost the caller a round trip.
                            scanFrom(
                                    router, ScanPosition.ofCursor(page.nextCursor()), limit, deadlineNanos, completion);
                            return;
                        }
                        completion.success(new ScanPage(wrapAll(page.keys()), new ScanCursor(page.nextCursor())));
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
                        map(
                                QueryResult.Count.class,
                                gather.<QueryResult.Count>part(count -> total[0] += count.count())));
            }
        });
    }

    static Call<Long> sizeOfSlot(int slot) {
        checkSlot(slot);
        return query(
                slot,
                new Query.SlotSize(slot),
                ReadConsistency.linearizable(),
                QueryResult.Count.class,
                QueryResult.Count::count);
    }

    static Call<List<Bytes>> keysOfSlot(int slot, int limit) {
        checkSlot(slot);
        if (limit < 0) {
            throw invalid(Reason.INVALID_ARGUMENT, "limit = " + limit + ": must not be negative");
        }
        if (limit == 0) {
            return (router, deadlineNanos, completion) -> completion.success(List.of());
        }
        return query(
                slot,
                new Query.SlotKeys(slot, limit),
                ReadConsistency.linearizable(),
                QueryResult.Keys.class,
                keys -> wrapAll(keys.keys()));
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
                map(QueryResult.Keys.class, new Completion<>() {
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
                        mapWrite(CommandResult.Done.class, gather.<CommandResult.Done>part(done -> {})));
            }
        });
    }

    // ---- mapping

    private static <R extends CommandResult, T> Call<T> command(
            int slot, Command command, int bytes, Class<R> type, Function<R, T> map) {
        return (router, deadlineNanos, completion) -> router.whenOpen(
                deadlineNanos,
                completion,
                () -> router.write(
                        router.openTable().ofSlot(slot),
                        command,
                        bytes,
                        deadlineNanos,
                        mapWrite(type, mapped(map, completion))));
    }

    private static <R extends QueryResult, T> Call<T> query(
            int slot, Query query, ReadConsistency consistency, Class<R> type, Function<R, T> map) {
        return (router, deadlineNanos, completion) -> router.whenOpen(
                deadlineNanos,
                completion,
                () -> router.read(
                        router.openTable().ofSlot(slot),
                        query,
                        consistency,
                        deadlineNanos,
                        map(type, mapped(map, completion))));
    }

    private static <R, T> Completion<R> mapped(Function<R, T> map, Completion<T> completion) {
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

    private static <R extends QueryResult> Completion<QueryResult> map(Class<R> type, Completion<R> completion) {
        return new Completion<>() {
            @Override
            public void success(QueryResult result) {
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

    private static <R extends CommandResult> Completion<CommandResult> mapWrite(
            Class<R> type, Completion<R> completion) {
        return new Completion<>() {
            @Override
            public void success(CommandResult result) {
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

    /** What a shard answers that does not own the slot, the only answer that is not of the type asked for. */
    private static ElastickvException unexpected(int slot, Object result) {
        return new UnavailableException((slot < 0 ? "" : "slot " + slot + ": ") + "the shard answered "
                + result.getClass().getSimpleName() + ": the route of this node is out of date");
    }

    private static Map<ShardRoute, List<byte[]>> byShard(Router router, List<byte[]> keys) {
        Map<ShardRoute, List<byte[]>> parts = new LinkedHashMap<>();
        RouteTable table = router.openTable();
        for (byte[] key : keys) {
            parts.computeIfAbsent(table.ofSlot(KeySlot.of(key)), s -> new ArrayList<>())
                    .add(key);
        }
        return parts;
    }

    private static boolean inOneSlot(List<byte[]> keys) {
        for (int i = 1; i < keys.size(); i++) {
            if (KeySlot.of(keys.get(i)) != KeySlot.of(keys.get(0))) {
                return false;
            }
        }
        return true;
    }

    private static Precondition toCommand(Condition condition) {
        if (condition instanceof Condition.Absent) {
            return Precondition.ABSENT;
        } else if (condition instanceof Condition.Present) {
            return Precondition.PRESENT;
        } else if (condition instanceof Condition.VersionIs is) {
            return is.version() == 0 ? Precondition.ABSENT : new Precondition.VersionIs(is.version());
        } else if (condition instanceof Condition.ValueIs is) {
            return new Precondition.ValueIs(checkValue(is.value()));
        }
        return Precondition.ALWAYS;
    }

    private static ExpiryChange toCommand(Expiry expiry) {
        if (expiry instanceof Expiry.Keep) {
            return ExpiryChange.KEEP;
        } else if (expiry instanceof Expiry.After after) {
            return new ExpiryChange.After(after.duration().toMillis());
        } else if (expiry instanceof Expiry.At at) {
            return new ExpiryChange.At(millis(at.instant()));
        }
        return ExpiryChange.NEVER;
    }

    private static long millis(Instant instant) {
        try {
            return instant.toEpochMilli();
        } catch (ArithmeticException e) {
            throw invalid(Reason.INVALID_ARGUMENT, "expiry = " + instant + ": beyond what milliseconds can say");
        }
    }

    static WriteResult toApi(CommandResult.Written written) {
        return new WriteResult(written.applied(), written.version(), toApi(written.previous()));
    }

    static Optional<VersionedValue> toApi(@Nullable StoredValue value) {
        return value == null ? Optional.empty() : Optional.of(toApiValue(value));
    }

    private static VersionedValue toApiValue(StoredValue value) {
        return new VersionedValue(UnsafeBytes.wrap(value.value()), value.version(), instant(value.expiresAtMillis()));
    }

    private static Optional<Instant> instant(long millis) {
        return millis == 0 ? Optional.empty() : Optional.of(Instant.ofEpochMilli(millis));
    }

    private static List<Bytes> wrapAll(List<byte[]> keys) {
        List<Bytes> wrapped = new ArrayList<>(keys.size());
        for (byte[] key : keys) {
            wrapped.add(UnsafeBytes.wrap(key));
        }
        return Collections.unmodifiableList(wrapped);
    }

    // ---- checks

    private static byte[] checkKey(Bytes key) {
        byte[] bytes = UnsafeBytes.array(key);
        if (bytes.length == 0 || bytes.length > Limits.MAX_KEY_BYTES) {
            throw invalid(
                    Reason.INVALID_ARGUMENT,
                    "key length = " + bytes.length + " bytes: must be within 1-" + Limits.MAX_KEY_BYTES);
        }
        return bytes;
    }

    private static byte[] checkValue(Bytes value) {
        byte[] bytes = UnsafeBytes.array(value);
        if (bytes.length > Limits.MAX_VALUE_BYTES) {
            throw invalid(
                    Reason.INVALID_ARGUMENT,
                    "value length = " + bytes.length + " bytes: must be at most " + Limits.MAX_VALUE_BYTES);
        }
        return bytes;
    }

    private static void checkBatchBytes(long bytes) {
        // A single largest value with the longest key must pass.
        if (bytes > Limits.MAX_BATCH_BYTES + Limits.MAX_KEY_BYTES) {
            throw invalid(
                    Reason.INVALID_ARGUMENT,
                    "batch = " + bytes + " bytes in one slot: must be at most " + Limits.MAX_BATCH_BYTES);
        }
    }

    private static void checkSlot(int slot) {
        if (slot < 0 || slot >= KeySlot.COUNT) {
            throw invalid(Reason.INVALID_ARGUMENT, "slot = " + slot + ": must be within 0-" + (KeySlot.COUNT - 1));
        }
    }

    private static InvalidRequestException invalid(Reason reason, String message) {
        return new InvalidRequestException(reason, message);
    }
}
