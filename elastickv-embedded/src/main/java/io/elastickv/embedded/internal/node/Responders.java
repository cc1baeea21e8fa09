package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.transport.EncodedMessage;
import io.elastickv.embedded.internal.transport.Responder;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;

/** Answers of this node to itself. */
final class Responders {

    private Responders() {}

    /** A responder that completes {@code future}. */
    static Responder to(CompletableFuture<byte[]> future) {
        return new Responder() {
            @Override
            public void reply(byte[]... parts) {
                int length = 0;
                for (byte[] part : parts) {
                    length += part.length;
                }
                ByteBuffer bytes = ByteBuffer.allocate(length);
                for (byte[] part : parts) {
                    bytes.put(part);
                }
                future.complete(bytes.array());
            }

            @Override
            public void reply(EncodedMessage answer) {
                ByteBuffer bytes = ByteBuffer.allocate(answer.size());
                answer.writeTo(bytes);
                future.complete(bytes.array());
            }
        };
    }
}
