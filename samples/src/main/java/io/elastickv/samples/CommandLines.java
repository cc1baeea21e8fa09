package io.elastickv.samples;

import io.elastickv.embedded.Durability;
import io.elastickv.embedded.StorageEngine;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** What the command lines of the programs have in common. */
final class CommandLines {

    private CommandLines() {}

    /** Errors in one line, and enum values as people write them: {@code off-heap} for OFF_HEAP. */
    static CommandLine prepare(CommandLine line) {
        return line.registerConverter(Durability.class, choice(Durability.class))
                .registerConverter(StorageEngine.class, choice(StorageEngine.class))
                .registerConverter(PlacementCommands.Rebalancing.class, choice(PlacementCommands.Rebalancing.class))
                .setParameterExceptionHandler((e, arguments) -> {
                    CommandLine failed = e.getCommandLine();
                    failed.getErr()
                            .println(failed.getCommandSpec().qualifiedName() + ": " + firstLine(e) + " (try --help)");
                    return ExitCode.USAGE;
                });
    }

    /** The message of {@code e} as far as it fits one line. */
    static String firstLine(Throwable e) {
        String message = e.getMessage();
        if (message == null || message.isBlank()) {
            return e.getClass().getSimpleName();
        }
        return message.strip().replaceAll("\\s*\\R\\s*", " ");
    }

    private static <E extends Enum<E>> ITypeConverter<E> choice(Class<E> type) {
        return text -> {
            String name = text.replace('-', '_').toUpperCase(Locale.ROOT);
            StringBuilder names = new StringBuilder();
            for (E value : type.getEnumConstants()) {
                if (value.name().equals(name)) {
                    return value;
                }
                names.append(names.isEmpty() ? "" : " or ")
                        .append(value.name().toLowerCase(Locale.ROOT).replace('_', '-'));
            }
            throw new TypeConversionException("'" + text + "' is not " + names);
        };
    }
}
