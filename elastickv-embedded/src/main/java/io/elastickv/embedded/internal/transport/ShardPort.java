package io.elastickv.embedded.internal.transport;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What {@link ShardRaft} shows of a replica and passes to it. Implemented by the replica; every method may be called
 * from any thread and must not block. The getters give a recent value, for display.
 */
public interface ShardPort {
    ShardRole role();

    /** The node name of the leader that this replica follows, or null while it knows none. */
    @Nullable
    String leaderName();

    long term();

    long commitIndex();

    long lastAppended();

    /** Node names of the voters. */
    List<String> members();

    /** Proposes a command. Completes with its result after it is committed and applied, or exceptionally. */
    CompletableFuture<byte[]> propose(byte[] command);

    /** A linearizable read. Completes with its result after the read was confirmed by a majority, or exceptionally. */
    CompletableFuture<byte[]> read(byte[] query);
}
