package io.elastickv.redis.internal.command;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The 80-bit floating point numbers that Redis on x86-64 computes {@code INCRBYFLOAT} with: a significand of 64 bits,
 * rounded half to even, printed with 17 digits after the point less trailing zeros. So the replies have the same digits.
 * Immutable.
 */
final class LongDouble {

    static final LongDouble ZERO = new LongDouble(BigDecimal.ZERO, false);

    private static final int SIGNIFICAND_BITS = 64;
    /** The power of two that no finite value reaches. */
    private static final int MAX_EXPONENT = 16384;
    /** The smallest power of two of a subnormal number's last bit. */
    private static final int MIN_EXPONENT = -16445;
    /** Redis copies the text into a buffer of 5 KiB and refuses what does not fit. */
    private static final int MAX_TEXT_BYTES = 5 * 1024 - 1;

    private static final Pattern DECIMAL = Pattern.compile("[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE]([+-]?\\d+))?");
    private static final Pattern HEXADECIMAL =
            Pattern.compile("([+-]?)0[xX]([0-9a-fA-F]*)(?:\\.([0-9a-fA-F]*))?(?:[pP]([+-]?\\d+))?");
    private static final Pattern INFINITE = Pattern.compile("[+-]?inf(?:inity)?");

    private final BigDecimal value;
    private final boolean infinite;

    private LongDouble(BigDecimal value, boolean infinite) {
        this.value = value;
        this.infinite = infinite;
    }

    /**
     * Parses what strtold accepts, less leading white space and NaN.
     *
     * @throws CommandException if it is no number or out of range
     */
    static LongDouble parse(byte[] bytes) {
        String text = new String(bytes, ISO_8859_1);
        if (text.isEmpty() || bytes.length > MAX_TEXT_BYTES) {
            throw notAFloat();
        }
        if (INFINITE.matcher(text.toLowerCase(Locale.ROOT)).matches()) {
            return new LongDouble(BigDecimal.ZERO, true);
        }
        BigDecimal exact;
        Matcher matcher = DECIMAL.matcher(text);
        if (matcher.matches()) {
            exact = decimal(text, matcher.group(1));
        } else {
            matcher = HEXADECIMAL.matcher(text);
            if (!matcher.matches()) {
                throw notAFloat();
            }
            exact = hexadecimal(matcher);
        }
        BigDecimal rounded = round(exact);
        if (tooLarge(rounded) || (rounded.signum() == 0 && exact.signum() != 0)) {
            throw notAFloat();
        }
        return new LongDouble(rounded, false);
    }

    private static BigDecimal decimal(String text, String exponent) {
        if (exponent != null) {
            int power = power(exponent);
            BigDecimal significand = new BigDecimal(
                    text.substring(0, text.toLowerCase(Locale.ROOT).indexOf('e')));
            // A power beyond this is out of range whatever the digits before it; and BigDecimal must not unfold it.
            if (significand.signum() != 0 && Math.abs(power) > 2 * MAX_TEXT_BYTES) {
                throw notAFloat();
            }
            return significand.signum() == 0 ? BigDecimal.ZERO : significand.scaleByPowerOfTen(power);
        }
        return new BigDecimal(text);
    }

    private static BigDecimal hexadecimal(Matcher matcher) {
        String whole = matcher.group(2);
        String fraction = matcher.group(3) == null ? "" : matcher.group(3);
        if (whole.isEmpty() && fraction.isEmpty()) {
            throw notAFloat();
        }
        int power = matcher.group(4) == null ? 0 : power(matcher.group(4));
        if (Math.abs(power) > 8 * MAX_TEXT_BYTES) {
            throw notAFloat();
        }
        BigDecimal digits = new BigDecimal(new BigInteger(whole + fraction, 16));
        BigDecimal magnitude = scale(digits, power - 4 * fraction.length());
        return matcher.group(1).equals("-") ? magnitude.negate() : magnitude;
    }

    private static int power(String text) {
        String digits = text.startsWith("+") ? text.substring(1) : text;
        BigInteger power = new BigInteger(digits);
        if (power.bitLength() > 24) {
            return power.signum() * (1 << 24);
        }
        return power.intValue();
    }

    /** The sum; exact, then rounded. */
    LongDouble plus(LongDouble other) {
        if (infinite || other.infinite) {
            throw notFinite();
        }
        BigDecimal sum = round(value.add(other.value));
        if (tooLarge(sum)) {
            throw notFinite();
        }
        return new LongDouble(sum, false);
    }

    @Override
    public String toString() {
        BigDecimal printed = value.setScale(17, RoundingMode.HALF_EVEN);
        return printed.signum() == 0 ? "0" : printed.stripTrailingZeros().toPlainString();
    }

    private static boolean tooLarge(BigDecimal value) {
        return value.abs().compareTo(new BigDecimal(BigInteger.ONE.shiftLeft(MAX_EXPONENT))) >= 0;
    }

    /** To the nearest number with a significand of 64 bits, half to even. */
    private static BigDecimal round(BigDecimal exact) {
        if (exact.signum() == 0) {
            return BigDecimal.ZERO;
        }
        BigDecimal magnitude = exact.abs();
        int exponent = floorLog2(magnitude) - (SIGNIFICAND_BITS - 1);
        exponent = Math.max(exponent, MIN_EXPONENT);
        BigInteger significand =
                scale(magnitude, -exponent).setScale(0, RoundingMode.HALF_EVEN).toBigIntegerExact();
        BigDecimal rounded = scale(new BigDecimal(significand), exponent);
        return exact.signum() < 0 ? rounded.negate() : rounded;
    }

    private static int floorLog2(BigDecimal magnitude) {
        // An estimate from the decimal digits, then made exact.
        double log10 = magnitude.precision()
                - magnitude.scale()
                + Math.log10(
                        magnitude.round(new MathContext(17)).unscaledValue().doubleValue())
                - magnitude.round(new MathContext(17)).precision();
        int log = (int) Math.floor(log10 / Math.log10(2));
        while (scale(magnitude, -log).compareTo(BigDecimal.ONE) < 0) {
            log--;
        }
        while (scale(magnitude, -log - 1).compareTo(BigDecimal.ONE) >= 0) {
            log++;
        }
        return log;
    }

    /** Times a power of two, exactly. */
    private static BigDecimal scale(BigDecimal number, int powerOfTwo) {
        if (powerOfTwo >= 0) {
            return number.multiply(new BigDecimal(BigInteger.ONE.shiftLeft(powerOfTwo)));
        }
        // Dividing by 2^n is multiplying by 5^n and moving the point by n.
        BigDecimal fives = new BigDecimal(BigInteger.valueOf(5).pow(-powerOfTwo), -powerOfTwo);
        return number.multiply(fives);
    }

    private static CommandException notAFloat() {
        return new CommandException("ERR value is not a valid float");
    }

    private static CommandException notFinite() {
        return new CommandException("ERR increment would produce NaN or Infinity");
    }
}
