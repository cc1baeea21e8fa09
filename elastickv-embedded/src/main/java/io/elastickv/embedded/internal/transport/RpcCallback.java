package io.elastickv.embedded.internal.transport;

import java.nio.ByteBuffer;

/**
 * Receives the end of one call: exactly one of the two methods is called, exactly once, on a transport thread or on the
 * transport's timer thread, never within the call itself unless the channel is closed. Must not block.
 */
public interface RpcCallback {
    /**
     * The answer.
     *
     * @param answer read-only, position 0; valid only during the call
     */
    void success(ByteBuffer answer);

    /** No answer came. */
    void failure(RpcFailure failure);
}
