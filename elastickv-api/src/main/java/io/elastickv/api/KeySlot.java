package io.elastickv.api;

/**
 * The slot of a key: CRC16 (XMODEM) of the key, or of its hash tag, modulo {@link #COUNT}, as the Redis Cluster
 * specification defines it. The hash tag is what stands between the first <code>{</code> and the first <code>}</code>
 * after it, if anything does.
 */
public final class KeySlot {

    /** The number of slots. */
    public static final int COUNT = 16384;

    private static final short[] TABLE = new short[256];

    static {
        for (int i = 0; i < 256; i++) {
            int crc = i << 8;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
            }
            TABLE[i] = (short) crc;
        }
    }

    private KeySlot() {}

    /** The slot of {@code key}, from 0 to {@link #COUNT} - 1. */
    public static int of(Bytes key) {
        return of(key.array);
    }

    /** The slot of {@code key}, from 0 to {@link #COUNT} - 1. */
    public static int of(byte[] key) {
        int from = 0;
        int to = key.length;
        for (int i = 0; i < key.length; i++) {
            if (key[i] == '{') {
                int close = i + 1;
                while (close < key.length && key[close] != '}') {
                    close++;
                }
                if (close < key.length && close > i + 1) {
                    from = i + 1;
                    to = close;
                }
                break;
            }
        }
        int crc = 0;
        for (int i = from; i < to; i++) {
            crc = (crc << 8) ^ TABLE[((crc >>> 8) ^ key[i]) & 0xff];
        }
        return crc & (COUNT - 1);
    }
}
