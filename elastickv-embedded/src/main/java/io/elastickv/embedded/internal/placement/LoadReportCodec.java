package io.elastickv.embedded.internal.placement;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.shard.MeterReading;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A {@link LoadReport} as bytes: a version, then varints. Rates are in hundredths, those of slots in tenths; a slot is the
 * distance to the one before. A slot with less than a tenth of an operation per second is left out, so a report is as long as
 * its node is busy: 50 KB for one that has load on 10,000 slots.
 */
public final class LoadReportCodec {

    private static final int VERSION = 1;
    private static final int LEADS = 1;
    private static final int CAUGHT_UP = 2;

    private static final int MAX_NAME_BYTES = 1024;
    private static final int MAX_KEY_BYTES = 1 << 20;
    private static final int KEYS_PER_SLOT = 3;
    private static final double SHARES = 10_000;

    private LoadReportCodec() {}

    /** As bytes. */
    public static byte[] encode(LoadReport report) {
        Out out = new Out();
        out.write(VERSION);
        out.bytes(report.node().getBytes(UTF_8));
        out.varint(report.wallMillis());
        out.varint(report.freeBytes());
        out.varint(report.replicas().size());
        for (LoadReport.Replica replica : report.replicas()) {
            out.varint(replica.shard());
            out.write((replica.leads() ? LEADS : 0) | (replica.caughtUp() ? CAUGHT_UP : 0));
            out.varint(replica.term());
            out.varint(replica.entries());
            out.varint(replica.sizeBytes());
            encode(replica.reading(), out);
        }
        return out.toByteArray();
    }

    private static void encode(MeterReading reading, Out out) {
        out.rate(reading.readsPerSecond(), 100);
        out.rate(reading.writesPerSecond(), 100);
        out.rate(reading.steadyReadsPerSecond(), 100);
        out.rate(reading.steadyWritesPerSecond(), 100);
        out.rate(reading.readBytesPerSecond(), 100);
        out.rate(reading.writeBytesPerSecond(), 100);
        out.rate(reading.applyNanosPerSecond(), 100);
        int[] slots = reading.slots();
        int worthIt = 0;
        for (int i = 0; i < slots.length; i++) {
            worthIt += isWorthIt(reading, i) ? 1 : 0;
        }
        out.varint(worthIt);
        int before = 0;
        for (int i = 0; i < slots.length; i++) {
            if (isWorthIt(reading, i)) {
                out.varint(slots[i] - before);
                before = slots[i];
                out.rate(reading.slotReads()[i], 10);
                out.rate(reading.slotWrites()[i], 10);
            }
        }
        List<MeterReading.Key> keys = worthTelling(reading.hotKeys());
        out.varint(keys.size());
        for (MeterReading.Key key : keys) {
            out.varint(key.slot());
            out.rate(key.shareOfSlot(), SHARES);
            out.bytes(key.key());
        }
    }

    private static boolean isWorthIt(MeterReading reading, int i) {
        return reading.slotReads()[i] >= 0.05 || reading.slotWrites()[i] >= 0.05;
    }

    /** The hottest ones of each slot; they come ordered. */
    private static List<MeterReading.Key> worthTelling(List<MeterReading.Key> keys) {
        List<MeterReading.Key> told = new ArrayList<>();
        int slot = -1;
        int ofSlot = 0;
        for (MeterReading.Key key : keys) {
            ofSlot = key.slot() == slot ? ofSlot + 1 : 1;
            slot = key.slot();
            if (ofSlot <= KEYS_PER_SLOT) {
                told.add(key);
            }
        }
        return told;
    }

    /**
     * Reads what {@link #encode} gave.
     *
     * @throws IllegalArgumentException if it is damaged or of another version
     */
    public static LoadReport decode(byte[] bytes) {
        In in = new In(ByteBuffer.wrap(bytes));
        int version = in.one();
        if (version != VERSION) {
            throw new IllegalArgumentException(
                    "a load report of version " + version + ", this library reads " + VERSION);
        }
        String node = new String(in.bytes(MAX_NAME_BYTES), UTF_8);
        long wallMillis = in.varint();
        long freeBytes = in.varint();
        int count = in.count(12);
        List<LoadReport.Replica> replicas = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int shard = in.number(Integer.MAX_VALUE);
            int flags = in.one();
            replicas.add(new LoadReport.Replica(
                    shard,
                    in.varint(),
                    (flags & LEADS) != 0,
                    (flags & CAUGHT_UP) != 0,
                    in.varint(),
                    in.varint(),
                    decodeReading(in)));
        }
        in.expectEnd();
        return new LoadReport(node, wallMillis, freeBytes, replicas);
    }

    private static MeterReading decodeReading(In in) {
        double[] totals = new double[7];
        for (int i = 0; i < totals.length; i++) {
            totals[i] = in.rate(100);
        }
        int count = in.count(3);
        int[] slots = new int[count];
        double[] reads = new double[count];
        double[] writes = new double[count];
        int slot = 0;
        for (int i = 0; i < count; i++) {
            int step = in.number(KeySlot.COUNT - 1);
            if (step == 0 && i > 0) {
                throw new IllegalArgumentException("slot " + slot + " comes twice");
            }
            slot += step;
            slots[i] = slot;
            reads[i] = in.rate(10);
            writes[i] = in.rate(10);
        }
        if (slot >= KeySlot.COUNT) {
            throw new IllegalArgumentException("slot " + slot);
        }
        int keyCount = in.count(3);
        List<MeterReading.Key> keys = new ArrayList<>(keyCount);
        for (int i = 0; i < keyCount; i++) {
            int keySlot = in.number(KeySlot.COUNT - 1);
            double share = in.rate(SHARES);
            keys.add(new MeterReading.Key(keySlot, in.bytes(MAX_KEY_BYTES), share));
        }
        return new MeterReading(
                totals[0], totals[1], totals[2], totals[3], totals[4], totals[5], totals[6], slots, reads, writes,
                keys);
    }

    /** Bytes being written. */
    static final class Out extends ByteArrayOutputStream {

        void varint(long value) {
            long rest = value;
            while ((rest & ~0x7fL) != 0) {
                write((int) ((rest & 0x7f) | 0x80));
                rest >>>= 7;
            }
            write((int) rest);
        }

        void rate(double value, double scale) {
            varint(Math.max(0, Math.round(value * scale)));
        }

        void bytes(byte[] value) {
            varint(value.length);
            write(value, 0, value.length);
        }
    }

    /** Bytes being read; every length is checked before anything is made of it. */
    static final class In {

        private final ByteBuffer buffer;

        In(ByteBuffer buffer) {
            this.buffer = buffer;
        }

        int one() {
            if (!buffer.hasRemaining()) {
                throw new IllegalArgumentException("a load report ends in the middle");
            }
            return buffer.get() & 0xff;
        }

        long varint() {
            long value = 0;
            for (int shift = 0; shift < 64; shift += 7) {
                int next = one();
                value |= (long) (next & 0x7f) << shift;
                if (next < 0x80) {
                    if (value < 0) {
                        break;
                    }
                    return value;
                }
            }
            throw new IllegalArgumentException("a number in a load report is too large");
        }

        int number(int max) {
            long value = varint();
            if (value > max) {
                throw new IllegalArgumentException("a number in a load report is " + value + ": at most " + max);
            }
            return (int) value;
        }

        /** A count of things that have at least so many bytes each. */
        int count(int leastBytes) {
            return number(buffer.remaining() / leastBytes);
        }

        double rate(double scale) {
            return varint() / scale;
        }

        byte[] bytes(int most) {
            byte[] value = new byte[number(Math.min(most, buffer.remaining()))];
            if (value.length > buffer.remaining()) {
                throw new IllegalArgumentException("a load report ends in the middle");
            }
            buffer.get(value);
            return value;
        }

        void expectEnd() {
            if (buffer.hasRemaining()) {
                throw new IllegalArgumentException(buffer.remaining() + " bytes behind the end of a load report");
            }
        }
    }
}
