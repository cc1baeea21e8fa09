package io.elastickv.embedded.internal.node;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.embedded.internal.placement.ClusterLayout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The data directory of a node: locked against a second process, with the node's identity, the cluster's layout once it
 * has formed, the write-ahead log in {@code wal/}, and the replicas' checkpoints in {@code checkpoints/}. Files are replaced atomically and durably. Not thread-safe.
 */
final class NodeDirectory implements AutoCloseable {

    private static final String LOCK = "lock";
    private static final String IDENTITY = "node";
    private static final String LAYOUT = "layout";
    private static final String HEADER = "elastickv-node 1";
    private static final Pattern NODE_ID = Pattern.compile("[0-9a-f]{32}");
    private static final Pattern INCARNATION = Pattern.compile("[0-9]{1,18}");

    private final Path directory;
    private final FileChannel lockChannel;
    private final FileLock lock;
    private final String nodeId;
    private final long incarnation;

    private NodeDirectory(Path directory, FileChannel lockChannel, FileLock lock, String nodeId, long incarnation) {
        this.directory = directory;
        this.lockChannel = lockChannel;
        this.lock = lock;
        this.nodeId = nodeId;
        this.incarnation = incarnation;
    }

    /**
     * Opens the directory, making it if it is missing.
     *
     * @throws IllegalStateException if another process has it, another node's data is in it, or it can't be used; the
     *     message says what to do
     */
    static NodeDirectory open(Path directory, String nodeName) {
        FileChannel channel = null;
        try {
            Files.createDirectories(directory);
            channel = FileChannel.open(directory.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = tryLock(channel);
            if (lock == null) {
                channel.close();
                throw new IllegalStateException("dataDirectory = " + directory
                        + ": in use by another node; stop that one or give this node a directory of its own");
            }
            Identity identity = loadIdentity(directory, nodeName);
            return new NodeDirectory(directory, channel, lock, identity.nodeId, identity.incarnation);
        } catch (IOException e) {
            closeQuietly(channel);
            throw new IllegalStateException(
                    "dataDirectory = " + directory + ": cannot be used ("
                            + (e instanceof AccessDeniedException ? "no permission" : e.toString())
                            + "); it must be a directory that this process can write to",
                    e);
        } catch (RuntimeException e) {
            closeQuietly(channel);
            throw e;
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // a node in this very process
        }
    }

    private record Identity(String nodeId, long incarnation) {}

    private static Identity loadIdentity(Path directory, String nodeName) throws IOException {
        Path file = directory.resolve(IDENTITY);
        String nodeId;
        long incarnation = 0;
        if (Files.exists(file)) {
            // Not as UTF-8: damage is to be reported as such below, not as an unreadable directory.
            String text = Files.readString(file, ISO_8859_1);
            Map<String, String> fields = new HashMap<>();
            text.lines().skip(1).forEach(line -> {
                int equals = line.indexOf('=');
                if (equals > 0) {
                    fields.put(line.substring(0, equals), line.substring(equals + 1));
                }
            });
            if (!text.startsWith(HEADER + "\n")) {
                throw new IllegalStateException("file " + file + ": starts with '"
                        + text.lines().findFirst().orElse("") + "', expected '" + HEADER
                        + "'; it was written by another version of the library, or is damaged");
            }
            String name = fields.get("name");
            String id = fields.get("nodeId");
            String count = fields.get("incarnation");
            if (name == null
                    || id == null
                    || !NODE_ID.matcher(id).matches()
                    || count == null
                    || !INCARNATION.matcher(count).matches()) {
                throw new IllegalStateException("file " + file
                        + ": damaged, it lacks a proper name, nodeId or incarnation; restore it from a backup");
            }
            if (!name.equals(nodeName)) {
                throw new IllegalStateException("dataDirectory = " + directory + ": belongs to node " + name
                        + ", this node is named " + nodeName + "; correct the name or the directory");
            }
            nodeId = id;
            incarnation = Long.parseLong(count);
        } else {
            if (Files.exists(directory.resolve("wal")) || Files.exists(directory.resolve(LAYOUT))) {
                throw new IllegalStateException("dataDirectory = " + directory + ": has data but no file '" + IDENTITY
                        + "'; restore that file, or give the node an empty directory");
            }
            byte[] random = new byte[16];
            new SecureRandom().nextBytes(random);
            nodeId = HexFormat.of().formatHex(random);
        }
        Identity identity = new Identity(nodeId, Math.max(incarnation + 1, System.currentTimeMillis()));
        replace(
                directory,
                IDENTITY,
                HEADER + "\nname=" + nodeName + "\nnodeId=" + identity.nodeId + "\nincarnation=" + identity.incarnation
                        + "\n");
        return identity;
    }

    /** The identity of this directory. */
    String nodeId() {
        return nodeId;
    }

    /** Larger at every opening. */
    long incarnation() {
        return incarnation;
    }

    /** Where the write-ahead log is. */
    Path wal() {
        return directory.resolve("wal");
    }

    /** Where the checkpoints of the replica of group {@code groupId} are. */
    Path checkpoints(int groupId) {
        return directory.resolve("checkpoints").resolve(Integer.toString(groupId));
    }

    /**
     * The layout, if the cluster has formed.
     *
     * @throws IllegalStateException if the file is damaged
     */
    @Nullable
    ClusterLayout layout() {
        Path file = directory.resolve(LAYOUT);
        try {
            return Files.exists(file) ? ClusterLayout.ofText(Files.readString(file)) : null;
        } catch (IOException | IllegalArgumentException e) {
            throw new IllegalStateException(
                    "file " + file + ": " + e.getMessage() + "; copy it from another member of the cluster", e);
        }
    }

    /** Keeps the layout, durably. */
    void saveLayout(ClusterLayout layout) {
        try {
            replace(directory, LAYOUT, layout.toText());
        } catch (IOException e) {
            throw new UncheckedIOException("file " + directory.resolve(LAYOUT) + ": cannot be written", e);
        }
    }

    private static void replace(Path directory, String name, String text) throws IOException {
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

    private static void closeQuietly(@Nullable FileChannel channel) {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                // What made us give up is thrown; this adds nothing.
            }
        }
    }

    @Override
    public void close() {
        try {
            lock.close();
            lockChannel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("dataDirectory = " + directory + ": cannot be unlocked", e);
        }
    }
}
