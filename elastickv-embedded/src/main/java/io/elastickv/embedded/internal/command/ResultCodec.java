package io.elastickv.embedded.internal.command;

/** The bytes of a {@link CommandResult}: version (1 byte), type (1 byte), its fields. */
public final class ResultCodec {

    private static final int VERSION = 1;

    private ResultCodec() {}

    /** Encodes into an array of the exact size, which passes to the caller. */
    public static byte[] encode(CommandResult result) {
        return Frames.encode(VERSION, result);
    }

    /**
     * Decodes; the result shares nothing with {@code encoded}.
     *
     * @throws MalformedCommandException if these are no bytes of this codec
     */
    public static CommandResult decode(byte[] encoded) {
        return Frames.decode(VERSION, "result", encoded, CommandResult::read);
    }
}
