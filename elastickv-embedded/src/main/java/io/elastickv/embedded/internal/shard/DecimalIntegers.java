package io.elastickv.embedded.internal.shard;

import static java.nio.charset.StandardCharsets.US_ASCII;

/** The decimal text of 64-bit integers, strictly as Redis accepts it: no plus sign, no leading zeros, no spaces, no "-0". */
final class DecimalIntegers {

    private static final int MAX_LENGTH = 20;

    /** Not a text of an integer. */
    static final class NotAnIntegerException extends Exception {
        private NotAnIntegerException() {
            super("not a decimal integer of 64 bits", null, false, false);
        }
    }

    private DecimalIntegers() {}

    static long parse(byte[] text) throws NotAnIntegerException {
        if (text.length == 0 || text.length > MAX_LENGTH) {
            throw new NotAnIntegerException();
        }
        if (text.length == 1 && text[0] == '0') {
            return 0;
        }
        boolean negative = text[0] == '-';
        int at = negative ? 1 : 0;
        if (at == text.length || text[at] < '1' || text[at] > '9') {
            throw new NotAnIntegerException();
        }
        // Negative, because there is one more of those.
        long value = 0;
        for (; at < text.length; at++) {
            int digit = text[at] - '0';
            if (digit < 0 || digit > 9 || value < Long.MIN_VALUE / 10) {
                throw new NotAnIntegerException();
            }
            value = value * 10 - digit;
            if (value > 0) {
                throw new NotAnIntegerException();
            }
        }
        if (!negative && value == Long.MIN_VALUE) {
            throw new NotAnIntegerException();
        }
        return negative ? value : -value;
    }

    static byte[] format(long value) {
        return Long.toString(value).getBytes(US_ASCII);
    }
}
