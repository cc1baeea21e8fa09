package io.elastickv.embedded.internal.transport;

/** Answers one call, once, from any thread. Further answers are ignored. Never blocks. */
public interface Responder {
    /** Answers with the parts, one after the other. They are copied before this returns. */
    void reply(byte[]... parts);

    /** Answers without first gathering the bytes in an array. */
    void reply(EncodedMessage answer);
}
