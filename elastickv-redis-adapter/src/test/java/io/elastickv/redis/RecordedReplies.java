package io.elastickv.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** The commands of {@code redis-replies.txt} with what a Redis server replied to them. */
final class RecordedReplies {

    /** A block of commands that begins with an empty store. */
    record Block(String name, List<Exchange> exchanges) {}

    /** A command and its reply, made comparable. */
    record Exchange(char mode, String command, String reply) {

        /** The reply without what may differ. */
        String comparable(String actual) {
            return switch (mode) {
                case '!' -> actual.replaceAll("\\d+", "9");
                case '^' -> {
                    String[] lines = actual.split("\r\n", -1);
                    Arrays.sort(lines);
                    yield String.join("\n", lines);
                }
                default -> actual;
            };
        }
    }

    private RecordedReplies() {}

    static List<Block> blocks() throws IOException {
        List<Block> blocks = new ArrayList<>();
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(RecordedReplies.class.getResourceAsStream("/redis-replies.txt")), UTF_8))) {
            String command = "";
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (line.startsWith("-- ")) {
                    blocks.add(new Block(line.substring(3), new ArrayList<>()));
                } else if (line.startsWith("< ")) {
                    blocks.get(blocks.size() - 1)
                            .exchanges()
                            .add(new Exchange(command.charAt(0), command.substring(2), unescape(line.substring(2))));
                } else if (!line.startsWith("#")) {
                    command = line;
                }
            }
        }
        return blocks;
    }

    private static String unescape(String text) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\\') {
                out.append(c);
                continue;
            }
            char escape = text.charAt(++i);
            switch (escape) {
                case 'r' -> out.append('\r');
                case 'n' -> out.append('\n');
                case 'x' -> {
                    out.append((char) Integer.parseInt(text.substring(i + 1, i + 3), 16));
                    i += 2;
                }
                default -> out.append(escape);
            }
        }
        return out.toString();
    }
}
