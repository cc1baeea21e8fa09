package io.elastickv.embedded.internal.placement;

import io.elastickv.api.NodeProvisioner;
import io.elastickv.api.ScalingPolicy;
import io.elastickv.embedded.internal.placement.plan.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out what {@link Scaling} decides, on the node that leads the catalog: asks the application for nodes, drains those that
 * are too many, and tells the application when they may go. Used by the driver's thread; the application is called elsewhere.
 */
public final class ScalingRunner {

    private static final Logger LOG = LoggerFactory.getLogger(ScalingRunner.class);

    /** Releases so long ago were told by whoever led the catalog then. */
    private static final long RECENT_MILLIS = 600_000;

    /** Drains a node. */
    public interface Drains {

        /** See {@link PlacementDriver#request}. */
        void drain(String node) throws RefusedException, CatalogException;
    }

    private final ScalingPolicy policy;
    private final NodeProvisioner provisioner;
    private final Executor callbacks;
    private final Set<Long> told = ConcurrentHashMap.newKeySet();
    private Scaling.Memory memory = Scaling.Memory.NONE;
    private String reason = "";

    /**
     * Decides nothing yet.
     *
     * @param callbacks where the application is called, one task after the other
     */
    public ScalingRunner(ScalingPolicy policy, NodeProvisioner provisioner, Executor callbacks) {
        this.policy = policy;
        this.provisioner = provisioner;
        this.callbacks = callbacks;
    }

    /** Forgets what was the case: for a node that begins to lead the catalog. */
    public void forget() {
        memory = Scaling.Memory.NONE;
    }

    /** Why nothing is done, or what was done and why. */
    public String reason() {
        return reason;
    }

    /**
     * Looks and acts; to be called about once a second.
     *
     * @param opsPerSecond of the nodes that told it a moment ago, by name
     * @throws CatalogException if a node could not be marked as draining; it is tried again
     */
    public void look(
            CatalogState catalog,
            Map<String, NodeSight> seen,
            Map<String, Double> opsPerSecond,
            Drains drains,
            long now)
            throws CatalogException {
        tellReleases(catalog, now);
        List<Scaling.Node> nodes = new ArrayList<>();
        for (CatalogNode node : catalog.nodes().values()) {
            NodeSight sight = seen.get(node.name());
            Double ops = opsPerSecond.get(node.name());
            nodes.add(new Scaling.Node(
                    node.name(),
                    node.zone(),
                    node.lifecycle(),
                    sight != null && sight.up() && ops != null,
                    node.joinedMillis(),
                    ops == null ? 0 : ops));
        }
        Scaling.Decision decision =
                Scaling.evaluate(policy, nodes, catalog.settings().replicationFactor(), memory, now);
        memory = decision.memory();
        reason = decision.reason();
        if (decision.add() > 0) {
            LOG.info("the application is asked for {} more nodes: {}", decision.add(), reason);
            String why = reason;
            call("addNodes", () -> provisioner.addNodes(decision.add(), why), () -> {});
        }
        for (String node : decision.remove()) {
            try {
                LOG.info("node {} is drained: {}", node, reason);
                drains.drain(node);
            } catch (RefusedException e) {
                reason = String.valueOf(e.getMessage());
                LOG.info("node {} is not drained: {}", node, reason);
            }
        }
    }

    /** From the catalog, so that a release that its driver did not live to tell of is told by the next one. */
    private void tellReleases(CatalogState catalog, long now) {
        for (PastOperation past : catalog.past()) {
            if (past.operation() instanceof Operation.ReleaseNode release
                    && past.outcome() == PastOperation.Outcome.DONE
                    && now - past.endedMillis() < RECENT_MILLIS
                    && !catalog.nodes().containsKey(release.node())
                    && told.add(past.id())) {
                call("nodeReleased", () -> provisioner.nodeReleased(release.node()), () -> told.remove(past.id()));
            }
        }
    }

    private void call(String what, Runnable callback, Runnable failed) {
        try {
            callbacks.execute(() -> {
                try {
                    callback.run();
                } catch (RuntimeException e) {
                    LOG.error("the application's {} failed", what, e);
                    failed.run();
                }
            });
        } catch (RejectedExecutionException e) {
            LOG.debug("the node is closing, {} is not called", what, e);
        }
    }
}
