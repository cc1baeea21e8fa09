package io.elastickv.embedded.internal.command;

/** What a write does to the expiry of its key. */
public sealed interface ExpiryChange extends Encodable {

    /** The key does not expire. */
    ExpiryChange NEVER = new Never();

    /** The expiry that the key has stays. */
    ExpiryChange KEEP = new Keep();

    /** The key does not expire. */
    record Never() implements ExpiryChange {
        @Override
        public int type() {
            return 0;
        }

        @Override
        public int bodySize() {
            return 0;
        }

        @Override
        public void writeBody(ByteWriter out) {}
    }

    /** The expiry that the key has stays; a new key does not expire. */
    record Keep() implements ExpiryChange {
        @Override
        public int type() {
            return 1;
        }

        @Override
        public int bodySize() {
            return 0;
        }

        @Override
        public void writeBody(ByteWriter out) {}
    }

    /**
     * The key expires this long after the log's time at apply.
     *
     * @param millis positive
     */
    record After(long millis) implements ExpiryChange {

        /** Checks the sign. */
        public After {
            if (millis <= 0) {
                throw new IllegalArgumentException("expiry after " + millis + " ms: must be positive");
            }
        }

        @Override
        public int type() {
            return 2;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfVarint(millis);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(millis);
        }
    }

    /**
     * The key expires at this time; when the log's time is not before it, the write deletes the key.
     *
     * @param epochMillis milliseconds since 1970
     */
    record At(long epochMillis) implements ExpiryChange {
        @Override
        public int type() {
            return 3;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfVarint(ByteWriter.zigzag(epochMillis));
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(ByteWriter.zigzag(epochMillis));
        }
    }

    /** The bytes of type and body. */
    static int sizeOf(ExpiryChange expiry) {
        return 1 + expiry.bodySize();
    }

    /** Writes type and body. */
    static void write(ExpiryChange expiry, ByteWriter out) {
        out.putByte(expiry.type());
        expiry.writeBody(out);
    }

    /** Reads what {@link #write} wrote. */
    static ExpiryChange read(ByteReader in) {
        int type = in.getByte();
        return switch (type) {
            case 0 -> NEVER;
            case 1 -> KEEP;
            case 2 -> new After(in.getVarint());
            case 3 -> new At(ByteReader.unzigzag(in.getVarint()));
            default -> throw new MalformedCommandException("expiry of type " + type);
        };
    }
}
