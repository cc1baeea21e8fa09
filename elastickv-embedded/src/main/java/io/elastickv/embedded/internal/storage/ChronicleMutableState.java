package io.elastickv.embedded.internal.storage;

import net.openhft.chronicle.bytes.BytesStore;
import net.openhft.chronicle.hash.VanillaGlobalMutableState;
import org.jspecify.annotations.Nullable;

/**
 * The implementation of the one interface that Chronicle Map otherwise generates and compiles when the first map is made,
 * which takes a second or two and needs the module jdk.compiler. {@link ChronicleMutableStateLoader} defines it under the
 * name that Chronicle looks for. The layout is that of the generated class: numbers of 24, 40, 40, 32 and 64 bits.
 */
@SuppressWarnings("rawtypes") // as the interface has it
public final class ChronicleMutableState implements VanillaGlobalMutableState {

    private static final int BULKS = 0;
    private static final int FIRST_FREE_TIER = 3;
    private static final int TIERS_IN_USE = 8;
    private static final int SEGMENT_HEADERS = 13;
    private static final int DATA_STORE_SIZE = 17;
    private static final int SIZE = 25;

    private static final int MASK_24 = 0xffffff;
    private static final long MASK_32 = 0xffffffffL;
    private static final long MASK_40 = 0xffffffffffL;

    private @Nullable BytesStore store;
    private long offset;

    /** For Chronicle. */
    public ChronicleMutableState() {}

    private BytesStore store() {
        BytesStore present = store;
        if (present == null) {
            throw new IllegalStateException("not in memory yet");
        }
        return present;
    }

    private static long checked(long value, long max) {
        if (value < 0 || value > max) {
            throw new IllegalArgumentException(value + ": must be within 0-" + max);
        }
        return value;
    }

    private long get40(int at) {
        return store().readLong(offset + at) & MASK_40;
    }

    private void set40(int at, long value) {
        store().writeLong(offset + at, (store().readLong(offset + at) & ~MASK_40) | checked(value, MASK_40));
    }

    @Override
    public int getAllocatedExtraTierBulks() {
        return store().readInt(offset + BULKS) & MASK_24;
    }

    @Override
    public void setAllocatedExtraTierBulks(int value) {
        checked(value, MASK_24);
        store().writeInt(offset + BULKS, (store().readInt(offset + BULKS) & ~MASK_24) | value);
    }

    @Override
    public long getFirstFreeTierIndex() {
        return get40(FIRST_FREE_TIER);
    }

    @Override
    public void setFirstFreeTierIndex(long value) {
        set40(FIRST_FREE_TIER, value);
    }

    @Override
    public long getExtraTiersInUse() {
        return get40(TIERS_IN_USE);
    }

    @Override
    public void setExtraTiersInUse(long value) {
        set40(TIERS_IN_USE, value);
    }

    @Override
    public long getSegmentHeadersOffset() {
        return store().readInt(offset + SEGMENT_HEADERS) & MASK_32;
    }

    @Override
    public void setSegmentHeadersOffset(long value) {
        store().writeInt(offset + SEGMENT_HEADERS, (int) checked(value, MASK_32));
    }

    @Override
    public long getDataStoreSize() {
        return store().readLong(offset + DATA_STORE_SIZE);
    }

    @Override
    public void setDataStoreSize(long value) {
        store().writeLong(offset + DATA_STORE_SIZE, checked(value, Long.MAX_VALUE));
    }

    @Override
    public long addDataStoreSize(long addition) {
        long sum = getDataStoreSize() + addition;
        setDataStoreSize(sum);
        return sum;
    }

    @Override
    public void bytesStore(BytesStore bytesStore, long at, long length) {
        if (length != SIZE) {
            throw new IllegalArgumentException("length = " + length + ": must be " + SIZE);
        }
        store = bytesStore;
        offset = at;
    }

    @Override
    public BytesStore<?, ?> bytesStore() {
        return (BytesStore<?, ?>) store();
    }

    @Override
    public long offset() {
        return offset;
    }

    @Override
    public long maxSize() {
        return SIZE;
    }
}
