package io.elastickv.embedded.internal.files;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * The file operations that the log and the checkpoints need, and nothing more: the seam at which tests inject faults and
 * power cuts. All methods may block; implementations are used by several threads, each {@link NodeFile} that writes by
 * one.
 */
public interface NodeFiles {

    /** The file system of this machine. */
    static NodeFiles system() {
        return SystemFiles.INSTANCE;
    }

    /** Creates {@code directory} and its parents if they are missing. */
    void createDirectories(Path directory) throws IOException;

    /** The names of all that is directly in {@code directory}, in any order. */
    List<String> list(Path directory) throws IOException;

    /** Opens {@code file} for reading and writing; creates it, empty, if it is missing. */
    NodeFile openForWriting(Path file) throws IOException;

    /** Opens an existing {@code file} for reading. */
    NodeFile openForReading(Path file) throws IOException;

    /** Deletes {@code file}, which may be an empty directory; durable only after {@link #forceDirectory}. */
    void delete(Path file) throws IOException;

    /**
     * Gives {@code file} the name {@code target} in one step, in place of the file that may have it; durable only after
     * {@link #forceDirectory}. Both are in one directory.
     */
    void move(Path file, Path target) throws IOException;

    /** Whether {@code path} is there. */
    boolean exists(Path path) throws IOException;

    /** Makes creations, deletions and new names in {@code directory} durable. */
    void forceDirectory(Path directory) throws IOException;

    /** One open file; all access is positional. */
    interface NodeFile extends Closeable {

        /** Reads at most the remaining bytes of {@code target}; -1 at or behind the end of the file. */
        int read(ByteBuffer target, long position) throws IOException;

        /** Writes at most the remaining bytes of {@code source}, possibly fewer; extends the file as needed. */
        int write(ByteBuffer source, long position) throws IOException;

        /** Makes all earlier writes durable; the size too; other metadata only if {@code metadata}. */
        void force(boolean metadata) throws IOException;

        /** The length in bytes. */
        long size() throws IOException;
    }
}
