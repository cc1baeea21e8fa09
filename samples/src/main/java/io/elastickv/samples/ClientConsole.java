package io.elastickv.samples;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.Parser;
import org.jline.reader.SyntaxError;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.reader.impl.completer.StringsCompleter;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Reads commands: with a prompt, editing and a history (of this session) from a terminal, plainly from a pipe or a file. */
final class ClientConsole {

    private static final String PROMPT = "elastickv> ";

    private final ClientSession session;
    private final CommandLine commands;
    private final DefaultParser parser = new DefaultParser();
    private int lastCode = ExitCode.OK;

    ClientConsole(ClientSession session) {
        this.session = session;
        this.commands = ClientCommands.commandLine(new Root(), session).setParameterExceptionHandler((e, arguments) -> {
            session.err().println("invalid: " + CommandLines.firstLine(e) + " (try help)");
            return ExitCode.USAGE;
        });
    }

    @Command(
            name = "",
            sortOptions = false,
            synopsisHeading = "",
            customSynopsis = "",
            commandListHeading = "",
            footer = "  help     Prints this; COMMAND --help says more.%n  exit     Leaves; so does the end of input.")
    private static final class Root {}

    /** Reads until the end of the input or {@code exit}; returns the code of the last command. */
    int run() {
        try (Terminal terminal = terminal()) {
            if (terminal == null) {
                readPlainly();
            } else {
                readFrom(terminal);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the commands cannot be read", e);
        }
        return lastCode;
    }

    /** The terminal that standard input is; null if it is none. */
    private static @Nullable Terminal terminal() throws IOException {
        try {
            return TerminalBuilder.builder().system(true).dumb(false).build();
        } catch (IllegalStateException e) {
            return null; // a pipe or a file
        }
    }

    private void readFrom(Terminal terminal) {
        LineReader reader = LineReaderBuilder.builder()
                .terminal(terminal)
                .parser(parser)
                .completer(new StringsCompleter(words()))
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                .build();
        boolean reading = true;
        while (reading) {
            try {
                reading = run(reader.readLine(PROMPT));
            } catch (UserInterruptException e) {
                // Ctrl-C gives the line up, as in a shell.
            } catch (EndOfFileException e) {
                reading = false;
            }
        }
    }

    private List<String> words() {
        List<String> words = new ArrayList<>(commands.getSubcommands().keySet());
        words.addAll(List.of("help", "exit"));
        return words;
    }

    private void readPlainly() throws IOException {
        BufferedReader reader = new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset()));
        String line = reader.readLine();
        while (line != null && run(line)) {
            line = reader.readLine();
        }
    }

    /** Runs one line; returns whether to go on. */
    private boolean run(String line) {
        if (line.isBlank() || line.stripLeading().startsWith("#")) {
            return true;
        }
        List<String> words;
        try {
            words = parser.parse(line, line.length(), Parser.ParseContext.ACCEPT_LINE)
                    .words();
        } catch (SyntaxError e) {
            session.err().println("invalid: " + CommandLines.firstLine(e));
            lastCode = ExitCode.USAGE;
            return true;
        }
        switch (words.get(0)) {
            case "exit", "quit" -> {
                return false;
            }
            case "help" -> {
                session.out().print(commands.getUsageMessage());
                lastCode = ExitCode.OK;
            }
            default -> lastCode = commands.execute(words.toArray(new String[0]));
        }
        session.out().flush();
        return true;
    }
}
