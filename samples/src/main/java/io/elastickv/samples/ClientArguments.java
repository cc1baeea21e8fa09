package io.elastickv.samples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.api.Bytes;
import io.elastickv.api.ReadConsistency;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.TypeConversionException;

/** How the client reads and writes durations, consistencies and keys. */
final class ClientArguments {

    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m|h|d)");
    private static final String STALE = "stale=";

    private ClientArguments() {}

    /** Reads {@code 500ms}, {@code 10s}, {@code 2m}, {@code 1h}, {@code 7d}. */
    static Duration duration(String text) {
        Matcher matcher = DURATION.matcher(text);
        if (!matcher.matches()) {
            throw new TypeConversionException("'" + text + "' is not a duration such as 500ms, 10s, 2m, 1h or 7d");
        }
        long amount = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(amount);
            case "s" -> Duration.ofSeconds(amount);
            case "m" -> Duration.ofMinutes(amount);
            case "h" -> Duration.ofHours(amount);
            default -> Duration.ofDays(amount);
        };
    }

    /** Reads {@code linearizable}, {@code local}, {@code stale=1s}. */
    static ReadConsistency consistency(String text) {
        if (text.equals("linearizable")) {
            return ReadConsistency.linearizable();
        }
        if (text.equals("local")) {
            return ReadConsistency.local();
        }
        if (text.startsWith(STALE)) {
            return ReadConsistency.boundedStale(duration(text.substring(STALE.length())));
        }
        throw new TypeConversionException("'" + text + "' is not linearizable, local or stale=DURATION");
    }

    static boolean startsWith(Bytes key, byte[] start) {
        if (key.length() < start.length) {
            return false;
        }
        for (int i = 0; i < start.length; i++) {
            if (key.byteAt(i) != start[i]) {
                return false;
            }
        }
        return true;
    }

    /** A key as one line of text: as UTF-8 if it is, with escapes for what would disturb a terminal. */
    static String printable(Bytes key) {
        byte[] bytes = key.toByteArray();
        StringBuilder text = new StringBuilder();
        try {
            UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).codePoints().forEach(point -> {
                if (point == '\\') {
                    text.append("\\\\");
                } else if (Character.isISOControl(point)) {
                    escape(text, point);
                } else {
                    text.appendCodePoint(point);
                }
            });
        } catch (CharacterCodingException e) {
            text.setLength(0);
            for (byte each : bytes) {
                if (each == '\\') {
                    text.append("\\\\");
                } else if (each > ' ' && each < 0x7f) {
                    text.append((char) each);
                } else {
                    escape(text, each & 0xff);
                }
            }
        }
        return text.toString();
    }

    private static void escape(StringBuilder text, int value) {
        text.append(String.format(Locale.ROOT, "\\x%02x", value));
    }
}
