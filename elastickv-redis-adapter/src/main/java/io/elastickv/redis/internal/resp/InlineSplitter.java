package io.elastickv.redis.internal.resp;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Splits a line into words by the rules of Redis' inline commands: words are parted by white space; in double quotes
 * {@code \n \r \t \b \a \xHH} and any other escaped character are known, in single quotes only {@code \'}; a closing
 * quote must be followed by white space.
 */
final class InlineSplitter {

    private InlineSplitter() {}

    /** The words; null if quotes are not balanced. */
    static @Nullable List<byte[]> split(byte[] line, int length) {
        List<byte[]> words = new ArrayList<>();
        ByteArrayOutputStream word = new ByteArrayOutputStream();
        int at = 0;
        while (true) {
            while (at < length && isSpace(line[at])) {
                at++;
            }
            // A NUL ends a line: the original works on C strings.
            if (at >= length || line[at] == 0) {
                return words;
            }
            word.reset();
            while (at < length && !isSpace(line[at]) && line[at] != 0) {
                byte b = line[at];
                if (b == '"' || b == '\'') {
                    at = b == '"' ? doubleQuoted(line, length, at + 1, word) : singleQuoted(line, length, at + 1, word);
                    if (at < 0 || (at < length && !isSpace(line[at]))) {
                        return null;
                    }
                    break;
                }
                word.write(b);
                at++;
            }
            words.add(word.toByteArray());
        }
    }

    /** Reads up to and including the closing quote; returns the position after it, or -1 if there is none. */
    private static int doubleQuoted(byte[] line, int length, int from, ByteArrayOutputStream word) {
        int at = from;
        while (at < length && line[at] != 0) {
            byte b = line[at];
            if (b == '"') {
                return at + 1;
            }
            if (b == '\\'
                    && at + 3 < length
                    && line[at + 1] == 'x'
                    && hex(line[at + 2]) >= 0
                    && hex(line[at + 3]) >= 0) {
                word.write(hex(line[at + 2]) << 4 | hex(line[at + 3]));
                at += 4;
            } else if (b == '\\' && at + 1 < length) {
                word.write(unescape(line[at + 1]));
                at += 2;
            } else {
                word.write(b);
                at++;
            }
        }
        return -1;
    }

    private static int singleQuoted(byte[] line, int length, int from, ByteArrayOutputStream word) {
        int at = from;
        while (at < length && line[at] != 0) {
            byte b = line[at];
            if (b == '\'') {
                return at + 1;
            }
            if (b == '\\' && at + 1 < length && line[at + 1] == '\'') {
                word.write('\'');
                at += 2;
            } else {
                word.write(b);
                at++;
            }
        }
        return -1;
    }

    private static int unescape(byte b) {
        return switch (b) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'b' -> '\b';
            case 'a' -> 7;
            default -> b;
        };
    }

    private static int hex(byte b) {
        return b < 0 ? -1 : Character.digit(b, 16);
    }

    private static boolean isSpace(byte b) {
        return b == ' ' || (b >= '\t' && b <= '\r');
    }
}
