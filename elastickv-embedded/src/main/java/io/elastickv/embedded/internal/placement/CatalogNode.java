package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.NodeState;
import io.elastickv.embedded.internal.placement.plan.ShardStamps;

/**
 * A node that stores data, as the catalog has it. Whether it is heard is not here: that is seen, not decided.
 *
 * @param name its name
 * @param host the host that other nodes use
 * @param port the port that other nodes use
 * @param nodeId the identity of the data directory that it joined with
 * @param zone what fails together with it; empty if nothing is said
 * @param joinedMillis when it joined, in milliseconds since 1970; 0 if the cluster was formed with it. It never changes
 * @param lifecycle what is meant to become of it
 * @param sinceMillis since when {@code lifecycle} is as it is
 * @param refusedMillis when an operation last failed because of it, {@link ShardStamps#NEVER} if never
 */
public record CatalogNode(
        String name,
        String host,
        int port,
        String nodeId,
        String zone,
        long joinedMillis,
        NodeState.Lifecycle lifecycle,
        long sinceMillis,
        long refusedMillis) {

    /** A node that the cluster was formed with. */
    static CatalogNode formed(Member member) {
        return new CatalogNode(
                member.name(),
                member.host(),
                member.port(),
                member.nodeId(),
                "",
                0,
                NodeState.Lifecycle.ACTIVE,
                0,
                ShardStamps.NEVER);
    }

    /** As a member of the layout. */
    public Member toMember() {
        return new Member(name, host, port, nodeId, joinedMillis);
    }

    CatalogNode with(NodeState.Lifecycle other, long millis) {
        return new CatalogNode(name, host, port, nodeId, zone, joinedMillis, other, millis, refusedMillis);
    }

    CatalogNode withZone(String other) {
        return new CatalogNode(name, host, port, nodeId, other, joinedMillis, lifecycle, sinceMillis, refusedMillis);
    }

    CatalogNode at(String otherHost, int otherPort) {
        return new CatalogNode(
                name, otherHost, otherPort, nodeId, zone, joinedMillis, lifecycle, sinceMillis, refusedMillis);
    }

    CatalogNode refused(long millis) {
        return new CatalogNode(name, host, port, nodeId, zone, joinedMillis, lifecycle, sinceMillis, millis);
    }
}
