package io.elastickv.embedded.corruption;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The regions of the text files in a node's directory: a first line that names the format, then {@code name=value} lines. */
final class TextRegions {

    private TextRegions() {}

    static List<FileRegion> of(String kind, Path file) throws IOException {
        List<FileRegion> regions = new ArrayList<>();
        String text = Files.readString(file, ISO_8859_1);
        if (text.isEmpty()) {
            regions.add(new FileRegion(kind, "empty", file, 0, 0));
        }
        for (int start = 0; start < text.length(); ) {
            int end = text.indexOf('\n', start);
            end = end < 0 ? text.length() : end;
            String line = text.substring(start, end);
            int equals = line.indexOf('=');
            if (start == 0 || equals < 0) {
                int space = Math.max(0, line.lastIndexOf(' '));
                regions.add(new FileRegion(kind, "format name", file, start, Math.max(1, space)));
                regions.add(new FileRegion(
                        kind, "format version", file, start + space, Math.max(1, line.length() - space)));
            } else {
                String name = line.substring(0, equals);
                regions.add(new FileRegion(kind, "field name", file, start, equals + 1L));
                regions.add(
                        new FileRegion(kind, name, file, start + equals + 1L, Math.max(1, line.length() - equals - 1)));
            }
            if (end < text.length()) {
                regions.add(new FileRegion(kind, "line end", file, end, 1));
            }
            start = end + 1;
        }
        return regions;
    }
}
