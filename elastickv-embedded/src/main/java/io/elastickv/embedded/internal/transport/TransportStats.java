package io.elastickv.embedded.internal.transport;

import java.util.concurrent.atomic.LongAdder;

/** Counters of one channel since its start. Thread-safe. */
public final class TransportStats {
    final LongAdder framesSent = new LongAdder();
    final LongAdder framesReceived = new LongAdder();
    final LongAdder bytesSent = new LongAdder();
    final LongAdder bytesReceived = new LongAdder();
    final LongAdder messagesDropped = new LongAdder();
    final LongAdder framesMalformed = new LongAdder();
    final LongAdder framesOfStrangers = new LongAdder();
    final LongAdder framesStale = new LongAdder();
    final LongAdder callbackFailures = new LongAdder();

    /** A copy of the counters at one moment. */
    public record Snapshot(
            long framesSent,
            long framesReceived,
            long bytesSent,
            long bytesReceived,
            long messagesDropped,
            long framesMalformed,
            long framesOfStrangers,
            long framesStale,
            long callbackFailures) {}

    Snapshot snapshot() {
        return new Snapshot(
                framesSent.sum(),
                framesReceived.sum(),
                bytesSent.sum(),
                bytesReceived.sum(),
                messagesDropped.sum(),
                framesMalformed.sum(),
                framesOfStrangers.sum(),
                framesStale.sum(),
                callbackFailures.sum());
    }
}
