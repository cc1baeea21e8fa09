package io.elastickv.embedded.internal.raft;

import io.elastickv.embedded.internal.raft.log.NodeLog;
import java.util.function.LongSupplier;

/** An event loop without a thread that a simulator drives, on the simulator's clocks. */
public final class SteppedLoop {

    /** How often the loop ticks what it owns, in ns. */
    public static final long TICK_NANOS = 20_000_000L;

    private final EventLoop loop;

    public SteppedLoop(String name, NodeLog log, LongSupplier nanos, LongSupplier wallMillis) {
        loop = new EventLoop(name, log, nanos, wallMillis, () -> {}, () -> {});
    }

    public EventLoop loop() {
        return loop;
    }

    /** Does once what there is to do; whether there is more. */
    public boolean iterate() {
        return loop.iterate();
    }
}
