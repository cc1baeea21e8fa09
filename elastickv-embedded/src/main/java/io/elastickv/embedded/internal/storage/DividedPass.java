package io.elastickv.embedded.internal.storage;

import java.io.IOException;
import java.util.Arrays;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The walk over a {@link DividedBucket}: what of the frozen bucket counts, and then what of the one on top. */
final class DividedPass implements BucketPass {

    private final BucketPass below;
    private final Predicate<byte[]> countsBelow;
    private final @Nullable BucketPass top;
    private final Predicate<byte[]> countsOnTop;
    private boolean belowIsOver;

    DividedPass(
            BucketPass below, Predicate<byte[]> countsBelow, @Nullable BucketPass top, Predicate<byte[]> countsOnTop) {
        this.below = below;
        this.countsBelow = countsBelow;
        this.top = top;
        this.countsOnTop = countsOnTop;
    }

    @Override
    public boolean step(Visitor visitor) throws IOException {
        if (!belowIsOver) {
            belowIsOver = !below.step(new Filter(visitor, countsBelow));
            return !belowIsOver || top != null;
        }
        return top != null && top.step(new Filter(visitor, countsOnTop));
    }

    private record Filter(Visitor to, Predicate<byte[]> counts) implements Visitor {

        @Override
        public boolean wants(byte[] keyIn, int keyOffset, int keyLength) {
            return counts.test(Arrays.copyOfRange(keyIn, keyOffset, keyOffset + keyLength))
                    && to.wants(keyIn, keyOffset, keyLength);
        }

        @Override
        public void entry(
                byte[] keyIn,
                int keyOffset,
                int keyLength,
                byte[] valueIn,
                int valueOffset,
                int valueLength,
                long version,
                long expiresAtMillis)
                throws IOException {
            to.entry(keyIn, keyOffset, keyLength, valueIn, valueOffset, valueLength, version, expiresAtMillis);
        }
    }
}
