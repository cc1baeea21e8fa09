package io.elastickv.embedded.internal.raft.log;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.util.Locale;

/** The disk refused: full, not permitted, broken. The message says what to do. */
public final class LogIoException extends LogException {

    private final Path file;

    LogIoException(Path file, String action, IOException cause) {
        super(action + " " + file + " failed: " + cause + ". " + remedy(cause), cause);
        this.file = file;
    }

    /** The file or directory concerned. */
    public Path file() {
        return file;
    }

    private static String remedy(IOException cause) {
        // Java has no errno: the text of strerror is all there is.
        String text = String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT);
        if (text.contains("no space left") || text.contains("quota exceeded")) {
            return "Free space on this file system, then restart the node: nothing acknowledged is lost.";
        }
        if (cause instanceof AccessDeniedException
                || text.contains("permission denied")
                || text.contains("read-only file system")) {
            return "Give the process write permission to the directory, then restart the node.";
        }
        if (text.contains("too many open files")) {
            return "Raise the limit of open files, then restart the node.";
        }
        return "Check the disk and the system's log, then restart the node: nothing acknowledged is lost"
                + " unless the disk lost it.";
    }
}
