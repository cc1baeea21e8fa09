package io.elastickv.embedded.internal.node;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.api.ElastickvException;
import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.api.ReadConsistency;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.StoredValue;
import io.elastickv.embedded.internal.placement.Catalog;
import io.elastickv.embedded.internal.placement.CatalogDelta;
import io.elastickv.embedded.internal.placement.CatalogException;
import io.elastickv.embedded.internal.placement.CatalogKeys;
import io.elastickv.embedded.internal.placement.CatalogState;
import io.elastickv.embedded.internal.placement.CatalogStore;
import io.elastickv.embedded.internal.routing.Completion;
import io.elastickv.embedded.internal.routing.Router;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The catalog as keys of its group. A change is one atomic batch, which takes effect only if the record of the revision
 * still is what it was when the change was made up. Blocks; for the driver's thread.
 */
final class GroupCatalogStore implements CatalogStore {

    private static final long TIMEOUT_NANOS = 5_000_000_000L;
    private static final int MAX_RECORDS = 4_000_000;

    private final Router router;

    GroupCatalogStore(Router router) {
        this.router = router;
    }

    @Override
    public CatalogState load(CatalogState known) throws CatalogException {
        long deadlineNanos = System.nanoTime() + TIMEOUT_NANOS;
        byte[] revision = CatalogKeys.REVISION.getBytes(UTF_8);
        while (true) {
            StoredValue before = value(revision, deadlineNanos);
            byte[] knownRevision = known.revisionRecord();
            if (before != null && Arrays.equals(before.value(), knownRevision)) {
                return known;
            }
            QueryResult.Keys found =
                    read(new Query.SlotKeys(CatalogKeys.SLOT, MAX_RECORDS), QueryResult.Keys.class, deadlineNanos);
            QueryResult.Values values = read(new Query.GetMany(found.keys()), QueryResult.Values.class, deadlineNanos);
            StoredValue after = value(revision, deadlineNanos);
            if (before == null && after == null) {
                return CatalogState.EMPTY;
            }
            // Two reads cannot see one moment, but every change writes this record.
            if (before != null && after != null && before.version() == after.version()) {
                return state(found.keys(), values.values());
            }
            if (System.nanoTime() - deadlineNanos >= 0) {
                throw new CatalogException(
                        CatalogException.Kind.UNAVAILABLE, "the catalog changes faster than it can be read");
            }
        }
    }

    private static CatalogState state(List<byte[]> keys, List<@Nullable StoredValue> values) throws CatalogException {
        Map<String, byte[]> records = new HashMap<>();
        for (int i = 0; i < keys.size(); i++) {
            StoredValue value = values.get(i);
            if (value != null) {
                records.put(new String(keys.get(i), UTF_8), value.value());
            }
        }
        try {
            return CatalogState.of(records);
        } catch (IllegalArgumentException e) {
            throw new CatalogException(
                    CatalogException.Kind.UNAVAILABLE, "the catalog cannot be read: " + e.getMessage());
        }
    }

    private @Nullable StoredValue value(byte[] key, long deadlineNanos) throws CatalogException {
        return read(new Query.Get(key), QueryResult.Value.class, deadlineNanos).value();
    }

    @Override
    public CatalogState commit(CatalogState known, CatalogDelta delta) throws CatalogException {
        CatalogState next = known.apply(delta);
        byte[] knownRevision = known.revisionRecord();
        List<Command.Step> steps = new ArrayList<>();
        int bytes = 0;
        for (CatalogDelta.Entry entry : delta.entries()) {
            byte[] key = entry.key().getBytes(UTF_8);
            byte[] value = entry.value();
            bytes += key.length + (value == null ? 0 : value.length);
            steps.add(
                    value == null
                            ? new Command.Delete(key, Precondition.ALWAYS, false)
                            : new Command.Put(key, value, Precondition.ALWAYS, ExpiryChange.NEVER, false));
        }
        Command.Requirement asKnown = new Command.Requirement(
                CatalogKeys.REVISION.getBytes(UTF_8),
                knownRevision == null ? Precondition.ABSENT : new Precondition.ValueIs(knownRevision));
        CompletableFuture<CommandResult> future = new CompletableFuture<>();
        long deadlineNanos = System.nanoTime() + TIMEOUT_NANOS;
        router.writeTo(
                Catalog.GROUP,
                new Command.AtomicBatch(List.of(asKnown), steps),
                bytes,
                deadlineNanos,
                completing(future));
        CommandResult result = await(future, deadlineNanos);
        if (!(result instanceof CommandResult.BatchDone done)) {
            throw new CatalogException(
                    CatalogException.Kind.UNAVAILABLE, "a change of the catalog was answered with " + result);
        }
        if (!done.applied()) {
            throw new CatalogException(
                    CatalogException.Kind.CONFLICT, "the catalog is at another revision than " + known.revision());
        }
        return next;
    }

    private <T extends QueryResult> T read(Query query, Class<T> type, long deadlineNanos) throws CatalogException {
        CompletableFuture<QueryResult> future = new CompletableFuture<>();
        router.readFrom(Catalog.GROUP, query, ReadConsistency.linearizable(), deadlineNanos, completing(future));
        QueryResult result = await(future, deadlineNanos);
        if (!type.isInstance(result)) {
            throw new CatalogException(
                    CatalogException.Kind.UNAVAILABLE, "a query of the catalog was answered with " + result);
        }
        return type.cast(result);
    }

    private static <T> Completion<T> completing(CompletableFuture<T> future) {
        return new Completion<>() {
            @Override
            public void success(T result) {
                future.complete(result);
            }

            @Override
            public void failure(ElastickvException failure) {
                future.completeExceptionally(failure);
            }
        };
    }

    private static <T> T await(CompletableFuture<T> future, long deadlineNanos) throws CatalogException {
        try {
            // The router ends every operation by its deadline.
            return future.get(deadlineNanos - System.nanoTime() + TIMEOUT_NANOS, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CatalogException(CatalogException.Kind.UNKNOWN, "interrupted");
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            String why = cause == null ? e.toString() : String.valueOf(cause.getMessage());
            throw cause instanceof OutcomeUnknownException
                    ? new CatalogException(CatalogException.Kind.UNKNOWN, why)
                    : new CatalogException(CatalogException.Kind.UNAVAILABLE, why);
        } catch (TimeoutException e) {
            throw new CatalogException(CatalogException.Kind.UNKNOWN, "no answer");
        }
    }
}
