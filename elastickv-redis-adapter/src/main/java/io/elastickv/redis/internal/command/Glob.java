package io.elastickv.redis.internal.command;

import java.util.ArrayList;
import java.util.List;

/**
 * Patterns as in {@code KEYS}: {@code ? * [abc] [^a] [a-z] \x}, byte by byte. Matching takes at most the product of both
 * lengths: after a mismatch only the last star is tried again, as in the classic wildcard algorithm (R. Kirschner's
 * backtracking to the last star). Immutable.
 */
final class Glob {

    private static final int STAR = 0;
    private static final int ANY = 1;
    private static final int ONE = 2;
    private static final int CLASS = 3;

    /** One element of the pattern; {@code set} holds 256 bits for a class. */
    @SuppressWarnings("ArrayRecordComponent") // Not compared.
    private record Element(int kind, byte literal, long[] set) {
        boolean matches(byte b) {
            return switch (kind) {
                case ANY -> true;
                case ONE -> b == literal;
                default -> ((set[(b & 0xff) >> 6] >>> (b & 63)) & 1) != 0;
            };
        }
    }

    private static final long[] NO_SET = new long[0];

    private final Element[] elements;

    private Glob(Element[] elements) {
        this.elements = elements;
    }

    /** Reads a pattern; every sequence of bytes is one. */
    static Glob of(byte[] pattern, boolean ignoreCase) {
        List<Element> elements = new ArrayList<>();
        int at = 0;
        while (at < pattern.length) {
            byte b = pattern[at];
            if (b == '*') {
                if (elements.isEmpty() || elements.get(elements.size() - 1).kind != STAR) {
                    elements.add(new Element(STAR, b, NO_SET));
                }
                at++;
            } else if (b == '?') {
                elements.add(new Element(ANY, b, NO_SET));
                at++;
            } else if (b == '[') {
                long[] set = new long[4];
                at = readClass(pattern, at + 1, set, ignoreCase);
                elements.add(new Element(CLASS, b, set));
            } else {
                if (b == '\\' && at + 1 < pattern.length) {
                    at++;
                }
                elements.add(literal(pattern[at], ignoreCase));
                at++;
            }
        }
        return new Glob(elements.toArray(Element[]::new));
    }

    private static Element literal(byte b, boolean ignoreCase) {
        if (ignoreCase && Character.isLetter(b & 0x7f) && b > 0) {
            long[] set = new long[4];
            include(set, b, true);
            return new Element(CLASS, b, set);
        }
        return new Element(ONE, b, NO_SET);
    }

    /** As Redis reads it: a class without its end goes to the end of the pattern; {@code [a-]} takes the end as a letter. */
    private static int readClass(byte[] pattern, int from, long[] set, boolean ignoreCase) {
        int at = from;
        boolean not = at < pattern.length && pattern[at] == '^';
        if (not) {
            at++;
        }
        while (at < pattern.length) {
            if (pattern[at] == '\\' && at + 1 < pattern.length) {
                include(set, pattern[at + 1], ignoreCase);
                at += 2;
            } else if (pattern[at] == ']') {
                break;
            } else if (at + 2 < pattern.length && pattern[at + 1] == '-') {
                int first = bound(pattern[at], ignoreCase);
                int last = bound(pattern[at + 2], ignoreCase);
                for (int i = Math.min(first, last); i <= Math.max(first, last); i++) {
                    include(set, (byte) i, ignoreCase);
                }
                at += 3;
            } else {
                include(set, pattern[at], ignoreCase);
                at++;
            }
        }
        if (not) {
            for (int i = 0; i < set.length; i++) {
                set[i] = ~set[i];
            }
        }
        return at + 1;
    }

    private static int bound(byte b, boolean ignoreCase) {
        return ignoreCase && b >= 'A' && b <= 'Z' ? b + 32 : b & 0xff;
    }

    private static void include(long[] set, byte b, boolean ignoreCase) {
        set[(b & 0xff) >> 6] |= 1L << (b & 63);
        if (ignoreCase && ((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z'))) {
            int other = b ^ 0x20;
            set[other >> 6] |= 1L << (other & 63);
        }
    }

    /** Whether the whole of {@code text} matches. */
    boolean matches(byte[] text) {
        int at = 0;
        int element = 0;
        int star = -1;
        int starAt = 0;
        while (at < text.length) {
            if (element < elements.length && elements[element].kind == STAR) {
                star = element++;
                starAt = at;
            } else if (element < elements.length && elements[element].matches(text[at])) {
                element++;
                at++;
            } else if (star >= 0) {
                element = star + 1;
                at = ++starAt;
            } else {
                return false;
            }
        }
        while (element < elements.length && elements[element].kind == STAR) {
            element++;
        }
        return element == elements.length;
    }

    /** Whether everything matches. */
    boolean matchesAll() {
        return elements.length == 1 && elements[0].kind == STAR;
    }
}
