package io.elastickv.embedded.internal.backup;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;

/** What the disk says, in words that tell what to do. */
final class FileProblems {

    private FileProblems() {}

    /** An exception for {@code cause}, which happened while {@code doing} was done to {@code file}. */
    static UncheckedIOException of(String doing, Path file, IOException cause) {
        return new UncheckedIOException(doing + " " + file + " failed: " + describe(cause), cause);
    }

    /** The cause and a remedy. */
    static String describe(IOException cause) {
        // Java has no errno: the text of strerror is all there is.
        String text = String.valueOf(cause.getMessage());
        String lower = text.toLowerCase(Locale.ROOT);
        if (lower.contains("no space left") || lower.contains("quota exceeded")) {
            return "no space left on the device; free some, or choose another file system";
        }
        if (cause instanceof AccessDeniedException || lower.contains("permission denied")) {
            return "permission denied";
        }
        if (lower.contains("read-only file system")) {
            return "the file system is read-only";
        }
        if (cause instanceof NoSuchFileException) {
            return "there is no such file, or its directory is missing";
        }
        return cause.toString();
    }
}
