package io.elastickv.embedded.internal.storage;

/**
 * The gate that guards a bucket: that of the store whose bucket it is. When a bucket passes to another store, its gate is
 * another one from then on; the new one frees nothing as long as somebody may still be inside by way of the old one (see
 * {@link ReaderGate#ReaderGate(ReaderGate)}). Thread-safe.
 */
final class GateRef {

    private volatile ReaderGate gate;

    GateRef(ReaderGate gate) {
        this.gate = gate;
    }

    /** For the writer, when it hands the bucket over. */
    void moveTo(ReaderGate other) {
        gate = other;
    }

    /** See {@link ReaderGate#retire}. For the writer. */
    void retire(Runnable close) {
        gate.retire(close);
    }

    /**
     * Enters the present gate; for whoever came to the bucket not by way of its store.
     *
     * @throws StorageException if it is closed
     */
    Inside enter() {
        while (true) {
            ReaderGate present = gate;
            Inside inside = new Inside(present, present.enter());
            if (present == gate) {
                return inside;
            }
            inside.close();
        }
    }

    /** Having entered. */
    record Inside(ReaderGate gate, int token) implements AutoCloseable {
        @Override
        public void close() {
            gate.exit(token);
        }
    }
}
