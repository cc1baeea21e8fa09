package io.elastickv.redis.internal.command;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.ElastickvNode;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** What handlers need of the adapter that they work for. Thread-safe. */
public interface Server {

    /** The name of the attribute under which nodes tell each other where their adapters listen. */
    String ADDRESS_ATTRIBUTE = "redis.address";

    /** The node behind the adapter. */
    ElastickvNode node();

    /** The store, with the adapter's limit on the time of a call. */
    AsyncKeyValueStore store();

    /** The limit on the time of a command, {@code Duration} of a call and of loops of calls. */
    Duration timeout();

    /** The wall clock. */
    InstantSource clock();

    /** The host that the adapter is bound to and tells others. */
    String advertisedHost();

    /** The port that the adapter is bound to. */
    int port();

    /** The password; null for none. */
    byte @Nullable [] password();

    /** The most clients at a time. */
    int maxClients();

    /** The longest string that a client may send. */
    int maxStringBytes();

    /** The clients connected now, oldest first. */
    Collection<ClientState> clients();

    /** Counters for {@code INFO}. */
    Statistics statistics();
}
