package io.elastickv.embedded.internal.transport;

/** What a {@link Link} needs of its channel. */
interface LinkContext {
    String nodeName();

    NodeTcp tcp();

    /** The header of every outgoing frame, as of now. */
    byte[] header();

    int headerBytes();

    int maxOutboxBytes();

    /** The largest item, its header included. */
    int maxItemBytes();

    long reconnectDelayNanos();

    /** Nanoseconds since some moment before the channel was made; never negative. */
    long nanos();

    TransportStats stats();

    /** Whether the link filter lets messages go to this peer. */
    boolean mayReach(Link link);

    /** Whether the link filter lets messages come from this peer. */
    boolean mayHear(Link link);

    void wakeMonitor();

    /** Counts and logs what a callback or listener threw. */
    void callbackFailed(Throwable e);

    /** Ends a call. What the callback throws is logged. */
    void finish(RpcCallback callback, RpcFailure failure);

    Thread thread(String role, Runnable body);
}
