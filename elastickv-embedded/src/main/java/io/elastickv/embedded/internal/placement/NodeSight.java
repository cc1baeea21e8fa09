package io.elastickv.embedded.internal.placement;

/**
 * What is seen of a node that stores data.
 *
 * @param up whether it is heard
 * @param sinceMillis since when it is, or is not, in milliseconds since 1970
 * @param zone the zone that it says it is in
 * @param freeBytes how much more it can store, {@link Long#MAX_VALUE} if unknown
 */
public record NodeSight(boolean up, long sinceMillis, String zone, long freeBytes) {}
