package io.elastickv.embedded.internal.command;

/**
 * The bytes of an {@link Envelope}: version (1 byte), time (8 bytes), session, sequence and sequence - ackedBelow
 * (varints), type of the command (1 byte), its fields. The time stands at a fixed offset because the leader stamps it
 * into bytes that another node encoded.
 */
public final class CommandCodec {

    private static final int VERSION = 1;
    private static final int TIME_OFFSET = 1;

    private CommandCodec() {}

    /** Encodes into an array of the exact size, which passes to the caller. */
    public static byte[] encode(Envelope envelope) {
        Command command = envelope.command();
        long unacked = envelope.sequence() - envelope.ackedBelow();
        ByteWriter out = new ByteWriter(Math.addExact(
                2
                        + Long.BYTES
                        + ByteWriter.sizeOfVarint(envelope.sessionId())
                        + ByteWriter.sizeOfVarint(envelope.sequence())
                        + ByteWriter.sizeOfVarint(unacked),
                command.bodySize()));
        out.putByte(VERSION);
        out.putLong(envelope.timeMillis());
        out.putVarint(envelope.sessionId());
        out.putVarint(envelope.sequence());
        out.putVarint(unacked);
        out.putByte(command.type());
        command.writeBody(out);
        return out.finish();
    }

    /**
     * Overwrites the time in place, before the bytes are shared with anyone.
     *
     * @throws MalformedCommandException if these are no bytes of this codec
     */
    public static void stampTime(byte[] encoded, long timeMillis) {
        if (encoded.length < TIME_OFFSET + Long.BYTES || encoded[0] != VERSION) {
            throw new MalformedCommandException("no envelope of version " + VERSION);
        }
        ByteWriter.LONG.set(encoded, TIME_OFFSET, timeMillis);
    }

    /**
     * Decodes; the result shares nothing with {@code encoded}.
     *
     * @throws MalformedCommandException if these are no bytes of this codec
     */
    public static Envelope decode(byte[] encoded) {
        ByteReader in = new ByteReader(encoded);
        int version = in.getByte();
        if (version != VERSION) {
            throw new MalformedCommandException("envelope of version " + version + ", known is " + VERSION);
        }
        try {
            long timeMillis = in.getLong();
            long sessionId = in.getVarint();
            long sequence = in.getVarint();
            long ackedBelow = sequence - in.getVarint();
            Envelope envelope = new Envelope(sessionId, sequence, ackedBelow, timeMillis, Command.read(in));
            in.expectEnd();
            return envelope;
        } catch (IllegalArgumentException e) {
            throw new MalformedCommandException("envelope with " + e.getMessage(), e);
        }
    }
}
