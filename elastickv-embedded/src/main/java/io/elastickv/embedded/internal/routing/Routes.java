package io.elastickv.embedded.internal.routing;

import io.elastickv.embedded.internal.routing.RouterProtocol.Owner;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the way to one shard needs to know of all of them. Thread-safe; nothing blocks. */
interface Routes {

    /** Who owns what; null until that is known. */
    @Nullable
    RouteTable table();

    /** Another node says so. */
    void learn(List<Owner> owners);

    /** A shard has said that it does not own {@code slot}, which the table says it does; for a query about several, -1. */
    void isStale(int slot);
}
