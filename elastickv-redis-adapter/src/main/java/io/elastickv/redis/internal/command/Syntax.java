package io.elastickv.redis.internal.command;

import io.elastickv.redis.internal.resp.Reply;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Turns the usual notation of a command's arguments into the structure that {@code COMMAND DOCS} has. Words in upper case
 * are tokens, others are names of arguments; {@code [ ]} is optional, {@code |} parts alternatives, {@code ( )} groups, and
 * {@code key [key ...]} means one or more.
 */
final class Syntax {

    private static final Pattern WORDS = Pattern.compile("[\\[\\]()|]|[^\\s\\[\\]()|]+");
    private static final Set<String> KEYS = Set.of("key", "newkey", "source", "destination");
    private static final Set<String> INTEGERS = Set.of(
            "seconds",
            "milliseconds",
            "count",
            "cursor",
            "increment",
            "decrement",
            "offset",
            "start",
            "end",
            "index",
            "slot",
            "protover",
            "numreplicas",
            "timeout",
            "client-id",
            "destination-db");

    private enum Kind {
        WORD,
        TOKEN,
        ONE_OF,
        BLOCK
    }

    private static final class Argument {
        final Kind kind;
        final String name;
        final List<Argument> parts;

        @Nullable
        String token;

        boolean optional;
        boolean multiple;

        Argument(Kind kind, String name, List<Argument> parts) {
            this.kind = kind;
            this.name = name;
            this.parts = parts;
        }
    }

    private final List<String> words = new ArrayList<>();
    private final boolean hasKeys;
    private int at;
    private int keyCount;

    private Syntax(String text, boolean hasKeys) {
        this.hasKeys = hasKeys;
        Matcher matcher = WORDS.matcher(text);
        while (matcher.find()) {
            words.add(matcher.group());
        }
    }

    /** The structure of {@code text}. */
    static Reply arguments(String text, boolean hasKeys) {
        Syntax syntax = new Syntax(text, hasKeys);
        return syntax.replies(syntax.sequence());
    }

    private List<Argument> sequence() {
        List<Argument> sequence = new ArrayList<>();
        while (at < words.size() && !"])|".contains(words.get(at))) {
            String word = words.get(at++);
            if (word.equals("[")) {
                int before = sequence.size();
                List<Argument> inner = alternatives();
                at++;
                if (repeats(inner)) {
                    repeat(sequence, inner.size() - 1, before);
                } else {
                    Argument argument = single(inner);
                    argument.optional = true;
                    sequence.add(argument);
                }
            } else if (word.equals("(")) {
                Argument argument = single(alternatives());
                at++;
                sequence.add(argument);
            } else if (isToken(word) && at < words.size() && takesValue(words.get(at))) {
                Argument argument =
                        words.get(at).equals("(") ? group() : new Argument(Kind.WORD, words.get(at++), List.of());
                argument.token = word;
                sequence.add(argument);
            } else {
                sequence.add(new Argument(isToken(word) ? Kind.TOKEN : Kind.WORD, word, List.of()));
            }
        }
        return sequence;
    }

    private Argument group() {
        at++;
        Argument argument = single(alternatives());
        at++;
        return argument;
    }

    private static boolean takesValue(String next) {
        return next.equals("(") || (!"[])|".contains(next) && !isToken(next));
    }

    private static boolean isToken(String word) {
        return word.equals(word.toUpperCase(Locale.ROOT)) && Character.isLetter(word.charAt(0));
    }

    private List<Argument> alternatives() {
        List<Argument> first = sequence();
        if (!words.get(at).equals("|")) {
            return first;
        }
        List<Argument> choices = new ArrayList<>();
        choices.add(single(first));
        while (words.get(at).equals("|")) {
            at++;
            choices.add(single(sequence()));
        }
        return List.of(new Argument(Kind.ONE_OF, nameOf(choices), choices));
    }

    private static Argument single(List<Argument> sequence) {
        return sequence.size() == 1 ? sequence.get(0) : new Argument(Kind.BLOCK, nameOf(sequence), sequence);
    }

    private static String nameOf(List<Argument> parts) {
        List<String> names = new ArrayList<>();
        parts.forEach(part -> names.add(part.name.toLowerCase(Locale.ROOT)));
        return String.join("_", names);
    }

    private static boolean repeats(List<Argument> inner) {
        return inner.get(inner.size() - 1).name.equals("...");
    }

    /** The last arguments become one that may be given several times. */
    private static void repeat(List<Argument> sequence, int count, int size) {
        List<Argument> repeated = sequence.subList(size - count, size);
        Argument argument = single(List.copyOf(repeated));
        argument.multiple = true;
        repeated.clear();
        sequence.add(argument);
    }

    private Reply replies(List<Argument> arguments) {
        List<Reply> replies = new ArrayList<>();
        arguments.forEach(argument -> replies.add(reply(argument)));
        return Reply.array(replies);
    }

    private Reply reply(Argument argument) {
        List<Reply> items = new ArrayList<>();
        String type = type(argument);
        add(items, "name", Reply.bulk(argument.name.toLowerCase(Locale.ROOT)));
        add(items, "type", Reply.bulk(type));
        if (type.equals("key")) {
            add(items, "key_spec_index", Reply.integer(keyCount++));
        }
        String token = argument.kind == Kind.TOKEN ? argument.name : argument.token;
        if (token != null) {
            add(items, "token", Reply.bulk(token));
        }
        List<Reply> flags = new ArrayList<>();
        if (argument.optional) {
            flags.add(Reply.simple("optional"));
        }
        if (argument.multiple) {
            flags.add(Reply.simple("multiple"));
        }
        if (!flags.isEmpty()) {
            add(items, "flags", new Reply.Group(flags));
        }
        if (!argument.parts.isEmpty()) {
            add(items, "arguments", replies(argument.parts));
        }
        return new Reply.Dictionary(items);
    }

    private String type(Argument argument) {
        switch (argument.kind) {
            case TOKEN:
                return "pure-token";
            case ONE_OF:
                return "oneof";
            case BLOCK:
                return "block";
            case WORD:
            default:
                if (hasKeys && KEYS.contains(argument.name)) {
                    return "key";
                }
                if (argument.name.startsWith("unix-time")) {
                    return "unix-time";
                }
                if (argument.name.equals("pattern")) {
                    return "pattern";
                }
                return INTEGERS.contains(argument.name) ? "integer" : "string";
        }
    }

    private static void add(List<Reply> items, String name, Reply value) {
        items.add(Reply.bulk(name));
        items.add(value);
    }
}
