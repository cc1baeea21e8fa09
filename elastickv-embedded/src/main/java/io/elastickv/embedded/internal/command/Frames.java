package io.elastickv.embedded.internal.command;

import java.util.function.Function;

/** Version and type before a body. */
final class Frames {

    private Frames() {}

    static byte[] encode(int version, Encodable body) {
        ByteWriter out = new ByteWriter(Math.addExact(2, body.bodySize()));
        out.putByte(version);
        out.putByte(body.type());
        body.writeBody(out);
        return out.finish();
    }

    static <T> T decode(int version, String what, byte[] encoded, Function<ByteReader, T> body) {
        ByteReader in = new ByteReader(encoded);
        int found = in.getByte();
        if (found != version) {
            throw new MalformedCommandException(what + " of version " + found + ", known is " + version);
        }
        try {
            T decoded = body.apply(in);
            in.expectEnd();
            return decoded;
        } catch (IllegalArgumentException e) {
            throw new MalformedCommandException(what + " with " + e.getMessage(), e);
        }
    }
}
