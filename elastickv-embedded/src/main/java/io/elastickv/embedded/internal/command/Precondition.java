package io.elastickv.embedded.internal.command;

/** What must be true of a key, at the moment of apply, for a write to take effect. */
public sealed interface Precondition extends Encodable {

    /** Always true. */
    Precondition ALWAYS = new Always();

    /** The key does not exist. */
    Precondition ABSENT = new Absent();

    /** The key exists. */
    Precondition PRESENT = new Present();

    /** Always true. */
    record Always() implements Precondition {
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

    /** The key does not exist. */
    record Absent() implements Precondition {
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

    /** The key exists. */
    record Present() implements Precondition {
        @Override
        public int type() {
            return 2;
        }

        @Override
        public int bodySize() {
            return 0;
        }

        @Override
        public void writeBody(ByteWriter out) {}
    }

    /**
     * The key exists with this version.
     *
     * @param version the version
     */
    record VersionIs(long version) implements Precondition {
        @Override
        public int type() {
            return 3;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfVarint(version);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putVarint(version);
        }
    }

    /**
     * The key exists with this value.
     *
     * @param value compared byte by byte
     */
    record ValueIs(byte[] value) implements Precondition {

        /** Checks the length. */
        public ValueIs {
            CommandLimits.checkValue(value);
        }

        @Override
        public int type() {
            return 4;
        }

        @Override
        public int bodySize() {
            return ByteWriter.sizeOfBytes(value);
        }

        @Override
        public void writeBody(ByteWriter out) {
            out.putBytes(value);
        }
    }

    /** The bytes of type and body. */
    static int sizeOf(Precondition condition) {
        return 1 + condition.bodySize();
    }

    /** Writes type and body. */
    static void write(Precondition condition, ByteWriter out) {
        out.putByte(condition.type());
        condition.writeBody(out);
    }

    /** Reads what {@link #write} wrote. */
    static Precondition read(ByteReader in) {
        int type = in.getByte();
        return switch (type) {
            case 0 -> ALWAYS;
            case 1 -> ABSENT;
            case 2 -> PRESENT;
            case 3 -> new VersionIs(in.getVarint());
            case 4 -> new ValueIs(in.getValue());
            default -> throw new MalformedCommandException("precondition of type " + type);
        };
    }
}
