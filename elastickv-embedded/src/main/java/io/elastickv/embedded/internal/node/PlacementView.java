package io.elastickv.embedded.internal.node;

import io.elastickv.api.Automation;
import io.elastickv.api.ClusterLoads;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.NodeInfo;
import io.elastickv.api.OperationInfo;
import io.elastickv.api.PlanInfo;
import io.elastickv.api.UnavailableException;
import io.elastickv.embedded.internal.node.AdminProtocol.Kind;
import io.elastickv.embedded.internal.placement.CatalogNode;
import io.elastickv.embedded.internal.placement.CatalogShard;
import io.elastickv.embedded.internal.placement.CatalogState;
import io.elastickv.embedded.internal.placement.LoadBook;
import io.elastickv.embedded.internal.placement.LoadInfos;
import io.elastickv.embedded.internal.placement.PastOperation;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The placement as applications see and change it: what is known is read from this node's copy of the catalog, what is asked
 * for goes to the node that leads the catalog. Thread-safe; methods with a timeout block.
 */
final class PlacementView {

    private static final int MAX_REPLICAS = 7;

    private final AdminClient admin;
    private final Supplier<CatalogState> catalog;
    private final LongSupplier wallMillis;

    PlacementView(AdminClient admin, Supplier<CatalogState> catalog, LongSupplier wallMillis) {
        this.admin = admin;
        this.catalog = catalog;
        this.wallMillis = wallMillis;
    }

    private interface Found<T> {
        @Nullable
        T look(CatalogState state);
    }

    private static long deadline(Duration timeout) {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout = " + timeout + ": must be positive");
        }
        return System.nanoTime() + timeout.toNanos();
    }

    private AdminProtocol.Answer ask(Kind kind, long deadlineNanos, Object... arguments) {
        return admin.ask(kind, List.of(arguments).stream().map(String::valueOf).toList(), deadlineNanos);
    }

    /** Waits until this node's copy of the catalog shows what {@code found} looks for. */
    private <T> T await(long deadlineNanos, Found<T> found, Supplier<String> missing) {
        while (true) {
            T seen = found.look(catalog.get());
            if (seen != null) {
                return seen;
            }
            if (System.nanoTime() - deadlineNanos >= 0) {
                throw new UnavailableException("not complete in time: " + missing.get());
            }
            try {
                TimeUnit.MILLISECONDS.sleep(5);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new UnavailableException("the waiting thread was interrupted: " + missing.get());
            }
        }
    }

    private void awaitOperation(long id, long deadlineNanos) {
        PastOperation ended = await(
                deadlineNanos,
                state -> state.past().stream()
                        .filter(past -> past.id() == id)
                        .findFirst()
                        .orElse(null),
                () -> operations().stream()
                        .filter(operation -> operation.id() == id)
                        .map(operation -> "operation " + id + ", " + operation.what() + ", is at " + operation.note())
                        .findFirst()
                        .orElse("operation " + id + " is not known here yet"));
        if (ended.outcome() != PastOperation.Outcome.DONE) {
            throw new UnavailableException("operation " + id + ", "
                    + Operations.of(ended).what() + ", is " + ended.outcome() + ": " + ended.why());
        }
    }

    private static long number(AdminProtocol.Answer answer) {
        return Long.parseLong(answer.text());
    }

    private LoadBook book(Duration timeout) {
        return LoadBook.decode(ask(Kind.LOADS, deadline(timeout)).body(), wallMillis.getAsLong());
    }

    ClusterLoads loads(Duration timeout) {
        LoadBook book = book(timeout);
        long now = wallMillis.getAsLong();
        return LoadInfos.of(book, catalog.get(), now, Instant.ofEpochMilli(now));
    }

    double[] slotLoads(Duration timeout) {
        return book(timeout).slotLoads(wallMillis.getAsLong());
    }

    /** With what the catalog says of them: zone and lifecycle. */
    List<NodeInfo> describe(List<NodeInfo> nodes) {
        CatalogState state = catalog.get();
        return nodes.stream()
                .map(node -> {
                    CatalogNode known = state.nodes().get(node.name());
                    if (known == null) {
                        return node;
                    }
                    return new NodeInfo(
                            node.name(),
                            node.address(),
                            node.member(),
                            node.state(),
                            node.attributes(),
                            known.zone(),
                            NodeInfo.Lifecycle.valueOf(known.lifecycle().name()));
                })
                .toList();
    }

    List<OperationInfo> operations() {
        return Operations.of(catalog.get());
    }

    PlanInfo plan(Duration timeout) {
        return PlanMessages.decode(ask(Kind.PLAN, deadline(timeout)).body());
    }

    Automation automation() {
        return Automation.valueOf(catalog.get().settings().automation().name());
    }

    void setAutomation(Automation automation, Duration timeout) {
        long deadlineNanos = deadline(timeout);
        ask(Kind.AUTOMATION, deadlineNanos, automation.name());
        await(deadlineNanos, state -> automation() == automation ? true : null, () -> "it is set, but not known here");
    }

    int replicationFactor() {
        CatalogState state = catalog.get();
        return state.revision() == 0 ? 0 : state.settings().replicationFactor();
    }

    void setReplicationFactor(int replicas, Duration timeout) {
        if (replicas < 1 || replicas > MAX_REPLICAS) {
            throw new InvalidRequestException(
                    InvalidRequestException.Reason.INVALID_ARGUMENT,
                    "replicas = " + replicas + ": must be within 1-" + MAX_REPLICAS);
        }
        long deadlineNanos = deadline(timeout);
        ask(Kind.REPLICATION, deadlineNanos, replicas);
        await(
                deadlineNanos,
                state -> state.settings().replicationFactor() == replicas ? true : null,
                () -> "it is set, but not known here");
    }

    void drain(String node, Duration timeout) {
        long deadlineNanos = deadline(timeout);
        ask(Kind.DRAIN, deadlineNanos, node);
        await(
                deadlineNanos,
                state -> (state.revision() > 0 && !state.nodes().containsKey(node)) ? true : null,
                () -> "node " + node + " still has replicas; running: "
                        + catalog.get().running().values().stream()
                                .map(running -> Operations.of(running).what())
                                .toList());
    }

    int split(int shard, int firstSlot, Duration timeout) {
        long deadlineNanos = deadline(timeout);
        awaitOperation(number(ask(Kind.SPLIT, deadlineNanos, shard, firstSlot)), deadlineNanos);
        return catalog.get().shards().values().stream()
                .filter(one -> one.slots().contains(firstSlot))
                .map(CatalogShard::id)
                .findFirst()
                .orElseThrow();
    }

    void merge(int left, Duration timeout) {
        long deadlineNanos = deadline(timeout);
        awaitOperation(number(ask(Kind.MERGE, deadlineNanos, left)), deadlineNanos);
    }

    void move(int shard, String from, String to, Duration timeout) {
        long deadlineNanos = deadline(timeout);
        awaitOperation(number(ask(Kind.MOVE, deadlineNanos, shard, from, to)), deadlineNanos);
    }

    void transfer(int shard, String to, Duration timeout) {
        long deadlineNanos = deadline(timeout);
        awaitOperation(number(ask(Kind.TRANSFER, deadlineNanos, shard, to)), deadlineNanos);
    }
}
