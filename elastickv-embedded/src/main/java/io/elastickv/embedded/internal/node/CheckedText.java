package io.elastickv.embedded.internal.node;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Small text files of a node's directory: a first line {@code kind version}, lines {@code field=value}, and a last line
 * {@code crc32c=} with eight hexadecimal digits over all before it. They are replaced atomically and durably.
 */
final class CheckedText {

    private static final String CHECKSUM = "crc32c=";

    private CheckedText() {}

    /** {@code body}, whose last line is ended, with its checksum. */
    static String seal(String body) {
        return body + CHECKSUM + crc(body) + "\n";
    }

    /**
     * Reads a file of this {@code kind} and {@code version}.
     *
     * @return the lines between the first and the last
     * @throws IllegalStateException if it is damaged or of another version; the message ends with {@code remedy}
     */
    static List<String> read(Path file, String kind, int version, String remedy) throws IOException {
        return read(file, kind, version, version, remedy);
    }

    /** As {@link #read(Path, String, int, String)}; versions from {@code oldest} on are read too. */
    static List<String> read(Path file, String kind, int oldest, int version, String remedy) throws IOException {
        // Not as UTF-8: damage is to be reported as such below, not as a file that cannot be read.
        String text = Files.readString(file, ISO_8859_1);
        String header = kind + " " + version;
        String first = text.lines().findFirst().orElse("");
        int end = text.lastIndexOf(CHECKSUM);
        boolean sound = end > 0 && text.substring(end).equals(CHECKSUM + crc(text.substring(0, end)) + "\n");
        for (int known = oldest; known <= version; known++) {
            if (sound && first.equals(kind + " " + known)) {
                return text.substring(0, end).lines().skip(1).toList();
            }
        }
        if (sound && first.startsWith(kind + " ")) {
            // Of which version a file with a good checksum is can be believed.
            throw new IllegalStateException(
                    "file " + file + ": is of format '" + first + "', this version of the library" + " reads '" + header
                            + "'; use the version of the library that wrote it, or a newer one");
        }
        throw new IllegalStateException("file " + file + ": starts with '"
                + (first.length() > 40 ? first.substring(0, 40) + "..." : first) + "', expected '" + header
                + "' and a checksum that matches; it was written by another version of the library, or is damaged: "
                + remedy);
    }

    private static String crc(String text) {
        CRC32C crc = new CRC32C();
        crc.update(text.getBytes(ISO_8859_1));
        return HexFormat.of().toHexDigits((int) crc.getValue());
    }

    /** Puts {@code text} in the place of what file {@code name} held: after a crash it is the old text or the new one. */
    static void replace(Path directory, String name, String text) throws IOException {
        Path temporary = directory.resolve(name + ".tmp");
        try (FileChannel out = FileChannel.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(UTF_8));
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
            out.force(true);
        }
        Files.move(temporary, directory.resolve(name), StandardCopyOption.ATOMIC_MOVE);
        try (FileChannel parent = FileChannel.open(directory, StandardOpenOption.READ)) {
            parent.force(true);
        }
    }
}
