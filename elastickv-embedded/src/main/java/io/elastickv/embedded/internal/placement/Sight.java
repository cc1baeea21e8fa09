package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.Loads;
import java.util.Map;

/** What is seen of the cluster: it may be a moment behind. Thread-safe; nothing blocks. */
public interface Sight {

    /** The replicas of all groups that are known of, those of {@link Catalog#GROUP} and of groups the catalog does not know included. */
    Map<Integer, Members> members();

    /** What a new replica of a shard has to fetch, in bytes; 0 for a shard that is missing. */
    Map<Integer, Long> sizes();

    /** The nodes that store data, by name; one that is missing was never heard. */
    Map<String, NodeSight> nodes();

    /** The loads. */
    Loads loads();
}
