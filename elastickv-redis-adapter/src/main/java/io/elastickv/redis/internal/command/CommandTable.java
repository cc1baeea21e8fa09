package io.elastickv.redis.internal.command;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** All commands by name. Filled once, then safe to read from any thread. */
public final class CommandTable {

    private static final int QUOTED_BYTES = 128;

    private final Map<String, CommandSpec> commands = new LinkedHashMap<>();

    /** Adds a command; the rest of it is told to the result. */
    CommandSpec add(String name, int arity) {
        CommandSpec spec = new CommandSpec(name, arity, null);
        if (commands.put(name, spec) != null) {
            throw new IllegalStateException("command " + name + ": defined twice");
        }
        return spec;
    }

    /** All commands in the order defined. */
    public Collection<CommandSpec> commands() {
        return commands.values();
    }

    @Nullable
    CommandSpec byName(String lowerName) {
        return commands.get(lowerName);
    }

    /** The command, or subcommand, that a client means; null if there is none. */
    public @Nullable CommandSpec find(byte[][] arguments) {
        CommandSpec spec = commands.get(Words.lower(arguments[0]));
        if (spec != null && spec.isContainer() && arguments.length > 1) {
            return spec.subcommand(Words.lower(arguments[1]));
        }
        return spec;
    }

    /**
     * The command that a client means, after the checks that Redis makes before all others.
     *
     * @throws CommandException if it does not exist or can't have so many arguments
     */
    public CommandSpec resolve(byte[][] arguments) {
        CommandSpec spec = find(arguments);
        if (spec == null) {
            throw new CommandException(unknown(arguments));
        }
        if (!spec.accepts(arguments.length)) {
            throw CommandException.arity(spec.fullName());
        }
        return spec;
    }

    private String unknown(byte[][] arguments) {
        CommandSpec container = commands.get(Words.lower(arguments[0]));
        if (container != null) {
            return "ERR unknown subcommand '" + quoted(arguments[1], QUOTED_BYTES) + "'. Try "
                    + container.name().toUpperCase(Locale.ROOT) + " HELP.";
        }
        StringBuilder line = new StringBuilder("ERR unknown command '")
                .append(quoted(arguments[0], QUOTED_BYTES))
                .append("', with args beginning with: ");
        int length = 0;
        for (int i = 1; i < arguments.length && length < QUOTED_BYTES; i++) {
            String argument = "'" + quoted(arguments[i], QUOTED_BYTES - length) + "' ";
            length += argument.length();
            line.append(argument);
        }
        return line.toString();
    }

    /** As printf's %.*s: at most so many bytes, and only up to the first NUL. */
    static String quoted(byte[] bytes, int limit) {
        int end = 0;
        while (end < bytes.length && end < limit && bytes[end] != 0) {
            end++;
        }
        return new String(bytes, 0, end, ISO_8859_1);
    }
}
