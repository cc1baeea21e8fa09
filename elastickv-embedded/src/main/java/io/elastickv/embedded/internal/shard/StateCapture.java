package io.elastickv.embedded.internal.shard;

import io.elastickv.embedded.internal.storage.CheckpointSource;
import io.elastickv.embedded.internal.storage.SlotSpan;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The state of a shard as it was when the capture began. The apply thread goes on and keeps what it changes until it is
 * written; if that becomes too much, or the state is replaced, the capture fails and everything is freed.
 */
public final class StateCapture implements CheckpointSource, AutoCloseable {

    @Override
    public long index() {
        throw new UnsupportedOperationException();
    }

    @Override
    public long epoch() {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<SlotSpan> slots() {
        throw new UnsupportedOperationException();
    }

    @Override
    public long logTimeMillis() {
        throw new UnsupportedOperationException();
    }

    @Override
    public long keys() {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<Part> parts() {
        throw new UnsupportedOperationException();
    }

    /** Whether it has failed. Any thread. */
    public boolean isFailed() {
        return failure() != null;
    }

    @Override
    public @Nullable String failure() {
        throw new UnsupportedOperationException();
    }

    /** The bytes held for entries that were changed meanwhile. Any thread. */
    public long heldBytes() {
        throw new UnsupportedOperationException();
    }

    /** Ends the capture. Any thread; idempotent. The apply thread frees the rest when it comes by. */
    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
