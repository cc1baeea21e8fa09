package io.elastickv.embedded.internal.transport;

import java.nio.ByteBuffer;

/** Answers the calls of one method number. */
@FunctionalInterface
public interface RpcHandler {
    /**
     * Called on a transport thread; must not block. What it throws before answering is answered as a failure.
     *
     * @param from the caller's node name
     * @param payload read-only, position 0; valid only during the call
     * @param responder answers the call, now or later
     */
    void handle(String from, ByteBuffer payload, Responder responder);
}
