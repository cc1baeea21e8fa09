package io.elastickv.embedded.internal.routing;

import io.elastickv.api.Batch;
import io.elastickv.api.BatchResult;
import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.Expiry;
import io.elastickv.api.InvalidRequestException.Reason;
import io.elastickv.api.KeySlot;
import io.elastickv.api.MultiGetResult;
import io.elastickv.api.MultiPutResult;
import io.elastickv.api.PutOptions;
import io.elastickv.api.UnsafeBytes;
import io.elastickv.api.VersionedValue;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.ExpiryRule;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.StoredValue;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The operations of the API on several keys. */
final class MultiKeyCalls {

    private MultiKeyCalls() {}

    static Call<MultiGetResult> getAll(Collection<Bytes> keys) {
        List<byte[]> asked = new ArrayList<>();
        for (Bytes key : new LinkedHashSet<>(keys)) {
            asked.add(ApiMapping.checkKey(key));
        }
        boolean oneSlot = ApiMapping.inOneSlot(asked);
        return (router, deadlineNanos, completion) -> router.whenOpen(deadlineNanos, completion, () -> {
            if (asked.isEmpty()) {
                completion.success(new MultiGetResult(Map.of(), true));
                return;
            }
            Map<Bytes, VersionedValue> found = new ConcurrentHashMap<>();
            getFrom(
                    router,
                    asked,
                    found,
                    deadlineNanos,
                    ShardCalls.mapped(
                            done -> {
                                Map<Bytes, VersionedValue> inOrder = new LinkedHashMap<>();
                                for (byte[] key : asked) {
                                    Bytes wrapped = UnsafeBytes.wrap(key);
                                    VersionedValue value = found.get(wrapped);
                                    if (value != null) {
                                        inOrder.put(wrapped, value);
                                    }
                                }
                                return new MultiGetResult(Collections.unmodifiableMap(inOrder), oneSlot);
                            },
                            completion));
        });
    }

    /** Reads {@code keys} from their shards; those of a shard that does not own all of its part any more are divided anew. */
    private static void getFrom(
            Router router,
            List<byte[]> keys,
            Map<Bytes, VersionedValue> found,
            long deadlineNanos,
            Completion<Boolean> completion) {
        RouteTable table = router.openTable();
        Map<ShardRoute, List<byte[]>> parts = ShardCalls.byShard(table, keys);
        Gather<Boolean> gather = new Gather<>(parts.size(), false, completion, () -> true);
        parts.forEach((shard, part) -> {
            Completion<Boolean> end = gather.part(done -> {});
            router.readOfSeveral(table, shard, new Query.GetMany(part), deadlineNanos, new Completion<>() {
                @Override
                public void success(QueryResult result) {
                    if (result instanceof QueryResult.WrongShard) {
                        getFrom(router, part, found, deadlineNanos, end);
                        return;
                    }
                    if (!(result instanceof QueryResult.Values values)) {
                        end.failure(ShardCalls.unexpected(-1, result));
                        return;
                    }
                    for (int i = 0; i < part.size(); i++) {
                        StoredValue value = values.values().get(i);
                        if (value != null) {
                            found.put(UnsafeBytes.wrap(part.get(i)), ApiMapping.toApiValue(value));
                        }
                    }
                    end.success(true);
                }

                @Override
                public void failure(ElastickvException failure) {
                    end.failure(failure);
                }
            });
        });
    }

    static Call<MultiPutResult> putAll(Map<Bytes, Bytes> entries) {
        Map<Integer, Map.Entry<List<byte[]>, List<byte[]>>> bySlot = new LinkedHashMap<>();
        Map<Integer, Integer> sizes = new LinkedHashMap<>();
        entries.forEach((key, value) -> {
            byte[] k = ApiMapping.checkKey(key);
            byte[] v = ApiMapping.checkValue(value);
            int slot = KeySlot.of(k);
            Map.Entry<List<byte[]>, List<byte[]>> part =
                    bySlot.computeIfAbsent(slot, s -> Map.entry(new ArrayList<>(), new ArrayList<>()));
            part.getKey().add(k);
            part.getValue().add(v);
            ApiMapping.checkBatchBytes(sizes.merge(slot, k.length + v.length, Integer::sum));
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
                    slot,
                    new Command.PutAll(part.getKey(), part.getValue()),
                    sizes.getOrDefault(slot, 0),
                    deadlineNanos,
                    ShardCalls.expecting(CommandResult.Count.class, gather.<CommandResult.Count>part(count -> {}))));
        });
    }

    static Call<Long> deleteAll(Collection<Bytes> keys) {
        Map<Integer, List<byte[]>> bySlot = new LinkedHashMap<>();
        for (Bytes key : new LinkedHashSet<>(keys)) {
            byte[] k = ApiMapping.checkKey(key);
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
                    slot,
                    new Command.DeleteAll(part),
                    part.size() * 32,
                    deadlineNanos,
                    ShardCalls.expecting(
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
            byte[] key = ApiMapping.checkKey(requirement.key());
            keys.add(key);
            requirements.add(new Command.Requirement(key, ApiMapping.toCommand(requirement.condition())));
            bytes += key.length + ApiMapping.bytesOf(requirement.condition());
        }
        for (Batch.Step step : batch.steps()) {
            byte[] key = ApiMapping.checkKey(step.key());
            keys.add(key);
            bytes += key.length;
            if (step instanceof Batch.Get) {
                steps.add(new Command.Get(key));
            } else if (step instanceof Batch.Delete) {
                steps.add(new Command.Delete(key, Precondition.ALWAYS, false));
            } else if (step instanceof Batch.Expire expire) {
                if (expire.expiry() instanceof Expiry.Keep) {
                    throw ApiMapping.invalid(
                            Reason.INVALID_ARGUMENT, "expiry = keep: an expire step needs an expiry to set");
                }
                steps.add(new Command.Expire(key, ApiMapping.toCommand(expire.expiry()), ExpiryRule.ALWAYS));
            } else if (step instanceof Batch.Put put) {
                PutOptions options = put.options();
                byte[] value = ApiMapping.checkValue(put.value());
                bytes += value.length + ApiMapping.bytesOf(options.condition());
                steps.add(new Command.Put(
                        key,
                        value,
                        ApiMapping.toCommand(options.condition()),
                        ApiMapping.toCommand(options.expiry()),
                        options.returnsPrevious()));
            }
        }
        if (keys.isEmpty()) {
            throw ApiMapping.invalid(Reason.INVALID_ARGUMENT, "batch: has neither requirements nor steps");
        }
        ApiMapping.checkBatchBytes(bytes);
        if (!ApiMapping.inOneSlot(keys)) {
            throw ApiMapping.invalid(
                    Reason.CROSS_SLOT,
                    "batch: its keys are in different slots; give them the same {hash tag} to bring them into one");
        }
        return ShardCalls.command(
                KeySlot.of(keys.get(0)),
                new Command.AtomicBatch(requirements, steps),
                (int) bytes,
                CommandResult.BatchDone.class,
                done -> new BatchResult(
                        done.applied(),
                        done.results().stream().map(ApiMapping::toApi).toList()));
    }
}
