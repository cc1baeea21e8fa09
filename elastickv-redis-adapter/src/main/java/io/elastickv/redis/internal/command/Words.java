package io.elastickv.redis.internal.command;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/** Comparing and parsing arguments without making strings of them. */
public final class Words {

    private Words() {}

    /** Whether {@code bytes} is {@code word}, whatever the case; {@code word} is in lower case ASCII. */
    public static boolean equal(byte[] bytes, String word) {
        if (bytes.length != word.length()) {
            return false;
        }
        for (int i = 0; i < bytes.length; i++) {
            if (lower(bytes[i]) != word.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** The bytes as Latin-1 text with ASCII letters in lower case. */
    public static String lower(byte[] bytes) {
        byte[] copy = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            copy[i] = (byte) lower(bytes[i]);
        }
        return new String(copy, ISO_8859_1);
    }

    private static int lower(byte b) {
        return b >= 'A' && b <= 'Z' ? b + 32 : b;
    }

    /**
     * Parses a decimal 64-bit integer as strictly as Redis (string2ll): no plus sign, no leading zeros, no spaces.
     *
     * @param result receives the value
     * @return whether it is one
     */
    public static boolean parseLong(byte[] bytes, long[] result) {
        int length = bytes.length;
        if (length == 0 || length > 20) {
            return false;
        }
        boolean negative = bytes[0] == '-';
        int at = negative ? 1 : 0;
        if (at == length) {
            return false;
        }
        if (bytes[at] == '0') {
            result[0] = 0;
            return length == 1;
        }
        // Summed up as a negative number, whose range is larger by one.
        long value = 0;
        for (; at < length; at++) {
            int digit = bytes[at] - '0';
            if (digit < 0 || digit > 9 || value < Long.MIN_VALUE / 10) {
                return false;
            }
            value *= 10;
            if (value < Long.MIN_VALUE + digit) {
                return false;
            }
            value -= digit;
        }
        if (!negative && value == Long.MIN_VALUE) {
            return false;
        }
        result[0] = negative ? value : -value;
        return true;
    }

    /** Whether {@code bytes} is a decimal 64-bit integer. */
    public static boolean isLong(byte[] bytes) {
        return parseLong(bytes, new long[1]);
    }
}
