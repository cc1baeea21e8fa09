package io.elastickv.embedded.internal.command;

/** Something with a type code and a body of bytes whose size is known before it is written. */
interface Encodable {

    /** What tells the decoder which record follows; never reused. */
    int type();

    /** The exact number of bytes that {@link #writeBody} writes. */
    int bodySize();

    /** Writes the fields. */
    void writeBody(ByteWriter out);
}
