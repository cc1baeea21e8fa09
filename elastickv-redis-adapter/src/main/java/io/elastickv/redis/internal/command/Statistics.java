package io.elastickv.redis.internal.command;

import java.util.concurrent.atomic.LongAdder;

/** Counters for {@code INFO}. Thread-safe. */
public final class Statistics {

    /** Connections accepted. */
    public final LongAdder connections = new LongAdder();
    /** Connections refused because there were too many. */
    public final LongAdder rejectedConnections = new LongAdder();
    /** Commands carried out. */
    public final LongAdder commands = new LongAdder();
    /** Replies that were errors. */
    public final LongAdder errors = new LongAdder();
    /** Bytes received. */
    public final LongAdder bytesIn = new LongAdder();
    /** Bytes sent. */
    public final LongAdder bytesOut = new LongAdder();

    /** Back to zero: {@code CONFIG RESETSTAT}. */
    public void reset() {
        connections.reset();
        rejectedConnections.reset();
        commands.reset();
        errors.reset();
        bytesIn.reset();
        bytesOut.reset();
    }
}
