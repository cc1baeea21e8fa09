package io.elastickv.redis.internal.command;

import io.elastickv.redis.internal.resp.Reply;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** How {@code COMMAND INFO} and {@code COMMAND DOCS} describe a command. */
final class CommandDescriptions {

    /** The order in which Redis lists categories. */
    private static final List<String> CATEGORIES =
            List.of("keyspace", "read", "write", "string", "admin", "fast", "slow", "dangerous", "connection");

    private CommandDescriptions() {}

    /** The categories, with those that follow from the flags. */
    static Set<String> categories(CommandSpec spec) {
        Set<String> named = new LinkedHashSet<>(spec.categories());
        if (spec.flags().contains("admin")) {
            named.add("admin");
            named.add("dangerous");
        }
        named.add(spec.flags().contains("fast") ? "fast" : "slow");
        Set<String> ordered = new LinkedHashSet<>();
        for (String category : CATEGORIES) {
            if (named.contains(category)) {
                ordered.add("@" + category);
            }
        }
        return ordered;
    }

    static Reply info(CommandSpec spec) {
        List<Reply> subcommands = new ArrayList<>();
        spec.subcommands().forEach(sub -> subcommands.add(info(sub)));
        List<CommandSpec.Keys> keys = spec.keys();
        int first = 0;
        int last = 0;
        int step = 0;
        if (!keys.isEmpty()) {
            CommandSpec.Keys end = keys.get(keys.size() - 1);
            first = keys.get(0).first();
            last = end.last() < 0 ? end.last() : end.first() + end.last();
            step = end.step();
        }
        List<Reply> keySpecs = new ArrayList<>();
        keys.forEach(part -> keySpecs.add(keySpec(part)));
        return Reply.array(
                Reply.bulk(spec.fullName()),
                Reply.integer(spec.arity()),
                words(spec.flags()),
                Reply.integer(first),
                Reply.integer(last),
                Reply.integer(step),
                words(categories(spec)),
                strings(spec.tips()),
                new Reply.Group(keySpecs),
                new Reply.Group(subcommands));
    }

    private static Reply words(Iterable<String> words) {
        List<Reply> items = new ArrayList<>();
        words.forEach(word -> items.add(Reply.simple(word)));
        return new Reply.Group(items);
    }

    private static Reply strings(List<String> texts) {
        List<Reply> items = new ArrayList<>();
        texts.forEach(text -> items.add(Reply.bulk(text)));
        return new Reply.Group(items);
    }

    private static Reply keySpec(CommandSpec.Keys part) {
        List<Reply> items = new ArrayList<>();
        if (!part.notes().isEmpty()) {
            items.add(Reply.bulk("notes"));
            items.add(Reply.bulk(part.notes()));
        }
        items.add(Reply.bulk("flags"));
        items.add(words(List.of(part.flags().split(" "))));
        items.add(Reply.bulk("begin_search"));
        items.add(Reply.map("type", "index", "spec", Reply.map("index", part.first())));
        items.add(Reply.bulk("find_keys"));
        items.add(Reply.map(
                "type", "range", "spec", Reply.map("lastkey", part.last(), "keystep", part.step(), "limit", 0)));
        return new Reply.Dictionary(items);
    }

    /** {@code SET} reads its key only with {@code GET}: its flags depend on the arguments. */
    static Reply keyFlags(CommandSpec spec, CommandSpec.Keys part, byte[][] arguments) {
        if (!part.flags().contains("variable_flags")) {
            return words(List.of(part.flags().split(" ")));
        }
        for (int i = 3; i < arguments.length; i++) {
            if (Words.equal(arguments[i], "get")) {
                return words(List.of("RW", "access", "update"));
            }
        }
        return words(List.of("OW", "update"));
    }

    static Reply docs(CommandSpec spec) {
        List<Reply> items = new ArrayList<>();
        add(items, "summary", Reply.bulk(spec.summary()));
        add(items, "since", Reply.bulk(spec.since()));
        add(items, "group", Reply.bulk(spec.group()));
        add(items, "complexity", Reply.bulk(spec.complexity()));
        if (!spec.syntax().isEmpty()) {
            add(items, "arguments", Syntax.arguments(spec.syntax(), !spec.keys().isEmpty()));
        }
        if (spec.isContainer()) {
            List<Reply> subcommands = new ArrayList<>();
            for (CommandSpec sub : spec.subcommands()) {
                add(subcommands, sub.fullName(), docs(sub));
            }
            add(items, "subcommands", new Reply.Dictionary(subcommands));
        }
        return new Reply.Dictionary(items);
    }

    private static void add(List<Reply> items, String name, Reply value) {
        items.add(Reply.bulk(name));
        items.add(value);
    }
}
