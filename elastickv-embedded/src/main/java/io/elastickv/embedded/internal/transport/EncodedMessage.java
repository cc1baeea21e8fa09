package io.elastickv.embedded.internal.transport;

import java.nio.ByteBuffer;

/**
 * Bytes that know their length and write themselves straight into a frame.
 *
 * <p>Both methods are called on the thread that hands the message over, before that call returns: the message may
 * refer to state of the caller and may be reused afterwards. {@link #writeTo} runs under the lock of one outbox: it
 * must only copy bytes.
 */
public interface EncodedMessage {
    /** The exact number of bytes that {@link #writeTo} writes. */
    int size();

    /** Writes exactly {@link #size()} bytes at the buffer's position. */
    void writeTo(ByteBuffer out);

    /** A message of these bytes. They are copied when the message is handed over, not before. */
    static EncodedMessage of(byte[] bytes) {
        return new EncodedMessage() {
            @Override
            public int size() {
                return bytes.length;
            }

            @Override
            public void writeTo(ByteBuffer out) {
                out.put(bytes);
            }
        };
    }
}
