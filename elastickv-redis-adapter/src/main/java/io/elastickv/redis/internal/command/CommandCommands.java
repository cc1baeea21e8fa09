package io.elastickv.redis.internal.command;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.elastickv.redis.internal.resp.Replies;
import io.elastickv.redis.internal.resp.Reply;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;

/** {@code COMMAND}: the table, told to clients. */
final class CommandCommands {

    private final CommandTable table;

    CommandCommands(CommandTable table) {
        this.table = table;
    }

    void define() {
        CommandSpec command = table.add("command", -1)
                .flags("loading stale")
                .categories("connection")
                .group("server")
                .since("2.8.13")
                .tips("nondeterministic_output_order")
                .complexity("O(N) where N is the total number of Redis commands")
                .doc("Describes commands.", "")
                .does(call -> call.reply(infos(table.commands())));
        sub(command, "count", 2, "2.8.13", "Tells how many commands there are.", "")
                .does(call -> call.reply(Reply.integer(table.commands().size())));
        sub(command, "info", -2, "2.8.13", "Describes commands for clients.", "[command-name [command-name ...]]")
                .tips("nondeterministic_output_order")
                .does(this::info);
        sub(command, "docs", -2, "7.0.0", "Describes commands for humans.", "[command-name [command-name ...]]")
                .tips("nondeterministic_output_order")
                .does(this::docs);
        sub(
                        command,
                        "list",
                        -2,
                        "7.0.0",
                        "Lists the commands.",
                        "[FILTERBY (MODULE module-name|ACLCAT category|PATTERN pattern)]")
                .tips("nondeterministic_output_order")
                .does(this::list);
        sub(command, "getkeys", -4, "2.8.13", "Tells which arguments are keys.", "command [arg [arg ...]]")
                .does(call -> keys(call, false));
        sub(
                        command,
                        "getkeysandflags",
                        -4,
                        "7.0.0",
                        "Tells which arguments are keys and what is done to them.",
                        "command [arg [arg ...]]")
                .does(call -> keys(call, true));
        sub(command, "help", 2, "5.0.0", "Lists the subcommands.", "")
                .does(call -> call.reply(Help.reply("COMMAND", HELP)));
    }

    private static CommandSpec sub(
            CommandSpec command, String name, int arity, String since, String summary, String syntax) {
        return command.sub(name, arity)
                .flags("loading stale")
                .categories("connection")
                .since(since)
                .doc(summary, syntax);
    }

    private static final List<String> HELP = List.of(
            "(no subcommand)",
            "    Return details about all Redis commands.",
            "COUNT",
            "    Return the total number of commands in this Redis server.",
            "LIST",
            "    Return a list of all commands in this Redis server.",
            "INFO [<command-name> ...]",
            "    Return details about multiple Redis commands.",
            "    If no command names are given, documentation details for all",
            "    commands are returned.",
            "DOCS [<command-name> ...]",
            "    Return documentation details about multiple Redis commands.",
            "    If no command names are given, documentation details for all",
            "    commands are returned.",
            "GETKEYS <full-command>",
            "    Return the keys from a full Redis command.",
            "GETKEYSANDFLAGS <full-command>",
            "    Return the keys and the access flags from a full Redis command.");

    /** The command of a name as in {@code client|list}; null if there is none. */
    private @org.jspecify.annotations.Nullable CommandSpec named(byte[] name) {
        String[] parts = Words.lower(name).split("\\|", -1);
        CommandSpec spec = table.byName(parts[0]);
        if (spec == null || parts.length == 1) {
            return spec;
        }
        return parts.length == 2 ? spec.subcommand(parts[1]) : null;
    }

    private void info(Call call) {
        if (call.size() == 2) {
            call.reply(infos(table.commands()));
            return;
        }
        List<Reply> replies = new ArrayList<>();
        for (int i = 2; i < call.size(); i++) {
            CommandSpec spec = named(call.raw(i));
            replies.add(spec == null ? Replies.NULL : CommandDescriptions.info(spec));
        }
        call.reply(Reply.array(replies));
    }

    private static Reply infos(Collection<CommandSpec> specs) {
        List<Reply> replies = new ArrayList<>();
        specs.forEach(spec -> replies.add(CommandDescriptions.info(spec)));
        return Reply.array(replies);
    }

    private void docs(Call call) {
        List<Reply> replies = new ArrayList<>();
        if (call.size() == 2) {
            table.commands().forEach(spec -> addDocs(replies, spec));
        }
        for (int i = 2; i < call.size(); i++) {
            CommandSpec spec = named(call.raw(i));
            if (spec != null) {
                addDocs(replies, spec);
            }
        }
        call.reply(new Reply.Dictionary(replies));
    }

    private static void addDocs(List<Reply> replies, CommandSpec spec) {
        replies.add(Reply.bulk(spec.fullName()));
        replies.add(CommandDescriptions.docs(spec));
    }

    private void list(Call call) {
        Predicate<CommandSpec> wanted = spec -> true;
        if (call.size() == 5 && call.is(2, "filterby")) {
            if (call.is(3, "module")) {
                wanted = spec -> false;
            } else if (call.is(3, "aclcat")) {
                String category = "@" + Words.lower(call.raw(4));
                wanted = spec -> CommandDescriptions.categories(spec).contains(category);
            } else if (call.is(3, "pattern")) {
                Glob pattern = Glob.of(call.raw(4), true);
                wanted = spec -> pattern.matches(spec.fullName().getBytes(ISO_8859_1));
            } else {
                throw CommandException.syntax();
            }
        } else if (call.size() != 2) {
            throw CommandException.syntax();
        }
        List<Reply> names = new ArrayList<>();
        boolean subcommands = call.size() == 5;
        for (CommandSpec spec : table.commands()) {
            add(names, spec, wanted);
            if (subcommands) {
                for (CommandSpec sub : spec.subcommands()) {
                    add(names, sub, wanted);
                }
            }
        }
        call.reply(Reply.array(names));
    }

    private static void add(List<Reply> names, CommandSpec spec, Predicate<CommandSpec> wanted) {
        if (wanted.test(spec)) {
            names.add(Reply.bulk(spec.fullName()));
        }
    }

    private void keys(Call call, boolean withFlags) {
        byte[][] arguments = java.util.Arrays.copyOfRange(call.arguments(), 2, call.size());
        CommandSpec spec = table.find(arguments);
        if (spec == null) {
            throw new CommandException("ERR Invalid command specified");
        }
        if (spec.keys().isEmpty()) {
            throw new CommandException("ERR The command has no key arguments");
        }
        if (!spec.accepts(arguments.length)) {
            throw new CommandException("ERR Invalid number of arguments specified for command");
        }
        List<Reply> replies = new ArrayList<>();
        for (CommandSpec.Keys part : spec.keys()) {
            for (int i = part.first();
                    i <= part.lastIndex(arguments.length) && i < arguments.length;
                    i += part.step()) {
                Reply key = Reply.bulk(arguments[i]);
                replies.add(withFlags ? Reply.array(key, CommandDescriptions.keyFlags(spec, part, arguments)) : key);
            }
        }
        call.reply(Reply.array(replies));
    }
}
