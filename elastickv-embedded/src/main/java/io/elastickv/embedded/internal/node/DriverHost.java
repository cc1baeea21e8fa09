package io.elastickv.embedded.internal.node;

import io.elastickv.api.PlanInfo;
import io.elastickv.embedded.internal.node.AdminProtocol.State;
import io.elastickv.embedded.internal.placement.Catalog;
import io.elastickv.embedded.internal.placement.CatalogException;
import io.elastickv.embedded.internal.placement.CatalogState;
import io.elastickv.embedded.internal.placement.DryRun;
import io.elastickv.embedded.internal.placement.PlacementDriver;
import io.elastickv.embedded.internal.placement.RefusedException;
import io.elastickv.embedded.internal.placement.Request;
import io.elastickv.embedded.internal.placement.ScalingRunner;
import io.elastickv.embedded.internal.placement.Sight;
import io.elastickv.embedded.internal.placement.plan.Automation;
import io.elastickv.embedded.internal.placement.plan.Plan;
import io.elastickv.embedded.internal.raft.core.Role;
import io.elastickv.embedded.internal.transport.NodeRpc;
import io.elastickv.embedded.internal.transport.PeerAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the placement's driver while this node leads the catalog, and answers what is asked of it, on one thread of its own.
 * Thread-safe.
 */
final class DriverHost implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(DriverHost.class);
    private static final long ROUND_MILLIS = 200;
    private static final long SCALING_MILLIS = 1_000;
    private static final long LATE_NANOS = 3_000_000_000L;

    private final String self;
    private final boolean drives;
    private final Map<Integer, ShardHost> hosts;
    private final PlacementDriver driver;
    private final CatalogMirror mirror;
    private final Reports reports;
    private final Runnable tellOthers;
    private final LongSupplier wallMillis;
    private final ScheduledExecutorService thread;
    private final @Nullable ScalingRunner scaling;
    private final Sight sight;
    private boolean leading;
    private long scaledMillis;

    /**
     * Does nothing yet.
     *
     * @param config says whether the placement is driven at all; requests are answered in any case
     * @param sight what the driver sees
     * @param scaling decides about nodes; null if nobody does
     * @param tellOthers tells the other nodes that there is a later revision
     */
    DriverHost(
            NodeConfig config,
            Map<Integer, ShardHost> hosts,
            PlacementDriver driver,
            Sight sight,
            @Nullable ScalingRunner scaling,
            CatalogMirror mirror,
            Reports reports,
            NodeRpc rpc,
            ScheduledExecutorService thread,
            Runnable tellOthers) {
        this.self = config.name();
        this.drives = config.drives();
        this.wallMillis = config.wallMillis();
        this.hosts = hosts;
        this.driver = driver;
        this.sight = sight;
        this.scaling = scaling;
        this.mirror = mirror;
        this.reports = reports;
        this.thread = thread;
        this.tellOthers = tellOthers;
        rpc.register(AdminProtocol.METHOD_ADMIN, (from, payload, responder) -> {
            CompletableFuture<Void> unused = answer(AdminProtocol.Request.decode(payload))
                    .thenAccept(answer -> responder.reply(answer.encode()));
        });
    }

    /** Begins; once. */
    void start() {
        ScheduledFuture<?> unused =
                thread.scheduleWithFixedDelay(this::round, ROUND_MILLIS, ROUND_MILLIS, TimeUnit.MILLISECONDS);
    }

    private boolean leads() {
        ShardHost host = hosts.get(Catalog.GROUP);
        boolean leads = host != null && host.group().status().role() == Role.LEADER;
        if (leads != leading) {
            leading = leads;
            driver.forget();
            if (scaling != null) {
                scaling.forget();
            }
            if (leads) {
                LOG.info("node {} drives the placement from now on", self);
            }
        }
        return leads;
    }

    private void round() {
        try {
            if (leads() && drives) {
                driver.round(wallMillis.getAsLong());
                publish();
                scale();
            }
        } catch (CatalogException e) {
            LOG.debug("node {}: a round of the placement was not finished: {}", self, e.getMessage());
        } catch (RuntimeException | Error e) {
            LOG.error("node {}: a round of the placement failed; it begins anew", self, e);
            driver.forget();
        }
    }

    /** Asks for nodes, or lets some drain, if that is wanted. */
    private void scale() throws CatalogException {
        long now = wallMillis.getAsLong();
        if (scaling == null || now - scaledMillis < SCALING_MILLIS) {
            return;
        }
        scaledMillis = now;
        scaling.look(
                driver.state(),
                sight.nodes(),
                reports.opsPerSecond(),
                node -> driver.request(new Request.Drain(node), now),
                now);
        publish();
    }

    /** Tells of what is durable; a driver that is unsure has forgotten it. */
    private void publish() {
        CatalogState state = driver.state();
        if (state.revision() > 0 && mirror.adopt(state)) {
            tellOthers.run();
        }
    }

    /** Answers a request; the answer comes later. */
    CompletableFuture<AdminProtocol.Answer> answer(AdminProtocol.Request request) {
        CompletableFuture<AdminProtocol.Answer> future = new CompletableFuture<>();
        long lateNanos = System.nanoTime() + LATE_NANOS;
        try {
            thread.execute(() -> {
                if (System.nanoTime() - lateNanos > 0) {
                    future.complete(new AdminProtocol.Answer(State.LATER, "the driver is busy"));
                    return;
                }
                future.complete(carryOut(request));
            });
        } catch (RejectedExecutionException e) {
            future.complete(new AdminProtocol.Answer(State.NOT_DRIVER, "the node is closing"));
        }
        return future;
    }

    private AdminProtocol.Answer carryOut(AdminProtocol.Request request) {
        try {
            if (!leads()) {
                return new AdminProtocol.Answer(State.NOT_DRIVER, "");
            }
            return switch (request.kind()) {
                case LOADS -> new AdminProtocol.Answer(State.DONE, "", reports.encode());
                case PLAN -> new AdminProtocol.Answer(State.DONE, "", PlanMessages.encode(plan()));
                default -> decide(request);
            };
        } catch (RefusedException | IllegalArgumentException e) {
            return new AdminProtocol.Answer(State.REFUSED, String.valueOf(e.getMessage()));
        } catch (CatalogException e) {
            return new AdminProtocol.Answer(State.LATER, String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            LOG.error("node {}: {} failed", self, request, e);
            driver.forget();
            return new AdminProtocol.Answer(State.LATER, String.valueOf(e));
        }
    }

    private AdminProtocol.Answer decide(AdminProtocol.Request request) throws RefusedException, CatalogException {
        long operation = driver.request(decode(request), wallMillis.getAsLong());
        publish();
        byte[] body = request.kind() == AdminProtocol.Kind.JOIN
                ? driver.state().since(CatalogState.EMPTY).encode()
                : new byte[0];
        return new AdminProtocol.Answer(State.DONE, Long.toString(operation), body);
    }

    private static Request decode(AdminProtocol.Request request) {
        List<String> given = request.arguments();
        return switch (request.kind()) {
            case JOIN -> {
                PeerAddress address = PeerAddress.parse(given.get(2));
                yield new Request.Join(given.get(0), address.host(), address.port(), given.get(1), given.get(3));
            }
            case DRAIN -> new Request.Drain(given.get(0));
            case REPLICATION -> new Request.SetReplicationFactor(number(given.get(0)));
            case AUTOMATION -> new Request.SetAutomation(Automation.valueOf(given.get(0)));
            case SPLIT -> new Request.Split(number(given.get(0)), number(given.get(1)));
            case MERGE -> new Request.Merge(number(given.get(0)));
            case MOVE -> new Request.Move(number(given.get(0)), given.get(1), given.get(2));
            case TRANSFER -> new Request.Transfer(number(given.get(0)), given.get(1));
            case PLAN, LOADS -> throw new IllegalArgumentException(request.kind() + " changes nothing");
        };
    }

    private static int number(String text) {
        return Integer.parseInt(text);
    }

    private PlanInfo plan() throws CatalogException {
        DryRun run = driver.plan(wallMillis.getAsLong());
        List<Plan.Step> steps = new ArrayList<>(run.catalog().operations());
        steps.addAll(run.shards().operations());
        return new PlanInfo(
                steps.stream().map(Operations::of).toList(),
                run.shards().notDone().stream()
                        .map(not -> new PlanInfo.NotDone(not.rule().name(), not.subject(), not.reason(), not.count()))
                        .toList(),
                run.shards().summary(),
                io.elastickv.api.Automation.valueOf(
                        driver.state().settings().automation().name()));
    }

    @Override
    public void close() {
        thread.shutdownNow();
        try {
            if (!thread.awaitTermination(2, TimeUnit.SECONDS)) {
                LOG.warn("node {}: the driver of the placement does not end", self);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
