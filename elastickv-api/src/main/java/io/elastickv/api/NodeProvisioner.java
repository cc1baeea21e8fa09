package io.elastickv.api;

/**
 * Starts and stops nodes for a cluster that says when it needs more or fewer; the application implements it. Given together with
 * a {@link ScalingPolicy} to the nodes of the cluster. Of all nodes it was given to, one at a time calls it: the one that leads the
 * catalog. Called on that node's callback executor, one call at a time; should only set things going and return. What it throws is
 * logged, and the call comes again later.
 *
 * <p>After a failover a call may come again. {@code addNodes} tells how many are missing at that moment, nodes that are
 * joining not counted, and not again before {@link ScalingPolicy#cooldown()} is over, so there should not be more nodes on
 * their way when that is over; stopping a node twice does nothing.
 */
public interface NodeProvisioner {

    /**
     * Nodes are to be started, that join the cluster.
     *
     * @param count how many, at least 1
     * @param reason why, in words and figures
     */
    void addNodes(int count, String reason);

    /**
     * A node was drained: it has no data and no leadership any more and is no member. It is to be closed, and its machine and
     * data directory may go.
     *
     * @param node its name
     */
    void nodeReleased(String node);
}
