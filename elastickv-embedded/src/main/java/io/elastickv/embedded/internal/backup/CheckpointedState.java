package io.elastickv.embedded.internal.backup;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.shard.SlotRanges;
import io.elastickv.embedded.internal.shard.StateCapture;
import io.elastickv.embedded.internal.storage.CheckpointFile;
import io.elastickv.embedded.internal.storage.CheckpointSource;
import io.elastickv.embedded.internal.storage.EntrySink;
import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The entries of what checkpoints are made of; sessions are of no use in another cluster. */
public final class CheckpointedState implements CapturedState {

    private final StateCapture capture;
    private final SlotRanges owned;
    private final Iterator<CheckpointSource.Part> parts;
    private CheckpointSource.@Nullable Part part;

    /** The entries of {@code capture}, which passes to this. */
    public CheckpointedState(StateCapture capture) {
        this.capture = capture;
        this.owned = SlotRanges.of(slotsOf(capture));
        this.parts = capture.parts().iterator();
    }

    @Override
    public long index() {
        return capture.index();
    }

    private static List<SlotRange> slotsOf(StateCapture capture) {
        return capture.slots().stream()
                .map(span -> new SlotRange(span.first(), span.last()))
                .toList();
    }

    @Override
    public List<SlotRange> slots() {
        return owned.ranges();
    }

    @Override
    public long logTimeMillis() {
        return capture.logTimeMillis();
    }

    @Override
    public boolean step(EntrySink sink) throws IOException {
        CheckpointSource.Part present = part;
        if (present == null) {
            if (!parts.hasNext()) {
                return false;
            }
            present = parts.next();
            if (present.kind() != CheckpointFile.Kind.BUCKET) {
                present.release();
                return true;
            }
            part = present;
        }
        if (!present.stepEntries(onlyOwned(sink))) {
            part = null;
        }
        return true;
    }

    /** A shard may still have entries of slots that it has given to another one, which is in the backup with them as well. */
    private EntrySink onlyOwned(EntrySink sink) {
        return (keyIn, keyOffset, keyLength, valueIn, valueOffset, valueLength, version, expiresAtMillis) -> {
            byte[] key = keyOffset == 0 && keyLength == keyIn.length
                    ? keyIn
                    : Arrays.copyOfRange(keyIn, keyOffset, keyOffset + keyLength);
            if (owned.contains(KeySlot.of(key))) {
                sink.putEntry(keyIn, keyOffset, keyLength, valueIn, valueOffset, valueLength, version, expiresAtMillis);
            }
        };
    }

    @Override
    public void close() {
        capture.close();
    }
}
