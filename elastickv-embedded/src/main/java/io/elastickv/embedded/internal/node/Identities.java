package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Member;
import io.elastickv.embedded.internal.placement.Succession;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which data directory stands for each member: as the cluster was formed, unless a directory was lost and another one came
 * under the same name and from the same address. Whoever hears of that keeps it, durably before it tells others, so that
 * the lost directory is recognised should it turn up again: what it holds is out of date, and two directories must not
 * take turns.
 *
 * <p>Changing methods block for a write to the disk; they are called on the node's control thread. Thread-safe.
 */
final class Identities {

    private static final Logger LOG = LoggerFactory.getLogger(Identities.class);

    /** Keeps a layout, durably. */
    interface Keeper {
        void keep(ClusterLayout layout);
    }

    private final String self;
    private final @Nullable String nodeId;
    private final Keeper keeper;
    private final LongSupplier wallMillis;
    private final Consumer<String> refused;
    private volatile @Nullable ClusterLayout layout;

    /**
     * Nothing is known yet.
     *
     * @param nodeId the identity of this node's directory; null if it is storage-less
     * @param refused told once why this node may take part no more
     */
    Identities(String self, @Nullable String nodeId, Keeper keeper, LongSupplier wallMillis, Consumer<String> refused) {
        this.self = self;
        this.nodeId = nodeId;
        this.keeper = keeper;
        this.wallMillis = wallMillis;
        this.refused = refused;
    }

    /** The cluster has formed, or this node comes back to it. */
    synchronized void formed(ClusterLayout formed) {
        layout = formed;
    }

    /** The layout as known now; null until the cluster has formed. */
    @Nullable
    ClusterLayout layout() {
        return layout;
    }

    /** The directory that stands for {@code node}; null if it is no member. */
    @Nullable
    String nodeIdOf(String node) {
        ClusterLayout known = layout;
        return known == null ? null : known.nodeIdOf(node);
    }

    /** Whether {@code id} is a directory that stands for {@code node} no more. */
    boolean isReplaced(String node, String id) {
        ClusterLayout known = layout;
        return known != null && known.knows(node, id) && !id.equals(known.nodeIdOf(node));
    }

    /** Why a directory of this node that stands for it no more may not take part. */
    static String replaced(ClusterLayout layout, String node, String id) {
        return "data directory " + id + " of node " + node + " was given up when the node came back with directory "
                + layout.nodeIdOf(node) + ": what it holds is out of date. Start the node on that directory, or with an"
                + " empty one";
    }

    /**
     * Takes what another node knows.
     *
     * @return whether it was news
     */
    synchronized boolean heard(List<Succession> successions) {
        ClusterLayout known = layout;
        if (known == null || successions.isEmpty()) {
            return false;
        }
        ClusterLayout merged = known.merged(successions);
        if (merged == known) {
            return false;
        }
        adopt(merged);
        return true;
    }

    /**
     * Takes a member that comes without a layout, so with an empty directory, for the one whose directory was lost.
     *
     * @param heardOfFormer whether the one with the former directory is alive as far as this node knows
     * @return whether it stands for the member from now on, and did not before
     */
    synchronized boolean recognise(Hello hello, boolean heardOfFormer) {
        ClusterLayout known = layout;
        if (known == null
                || hello.storageless()
                || hello.layout() != null
                || hello.nodeId().isEmpty()) {
            return false;
        }
        Member member = known.member(hello.name()).orElse(null);
        if (member == null
                || known.knows(hello.name(), hello.nodeId())
                || !member.address().equals(hello.address().toString())) {
            return false;
        }
        if (heardOfFormer) {
            LOG.info(
                    "node {}: a node with an empty directory comes as {}, which is still connected with its own: it has to"
                            + " wait until that one is gone",
                    self,
                    hello.name());
            return false;
        }
        String former = known.nodeIdOf(hello.name());
        ClusterLayout succeeded;
        try {
            succeeded = known.succeeded(hello.name(), hello.nodeId(), wallMillis.getAsLong());
        } catch (IllegalArgumentException e) {
            LOG.warn(
                    "node {}: directory {} of {} is not accepted: {}",
                    self,
                    hello.nodeId(),
                    hello.name(),
                    e.getMessage());
            return false;
        }
        adopt(succeeded);
        LOG.warn(
                "node {}: {} has lost its data directory {} and comes back with {}: its replicas will be made anew",
                self,
                hello.name(),
                former,
                hello.nodeId());
        return true;
    }

    /** Takes who is a member as of some revision of the catalog; the layout as known then, null before the formation. */
    synchronized @Nullable ClusterLayout roster(ClusterLayout.Roster roster) {
        ClusterLayout known = layout;
        if (known == null) {
            return null;
        }
        ClusterLayout changed = known.with(roster);
        if (changed != known) {
            adopt(changed);
        }
        return changed;
    }

    private void adopt(ClusterLayout changed) {
        keeper.keep(changed);
        layout = changed;
        if (changed.member(self).isEmpty()) {
            return; // it has left, which it is told otherwise
        }
        if (nodeId != null && !nodeId.equals(changed.nodeIdOf(self))) {
            refused.accept(replaced(changed, self, Objects.requireNonNull(nodeId)));
        }
    }
}
