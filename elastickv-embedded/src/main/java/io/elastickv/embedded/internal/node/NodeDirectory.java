package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.ClusterLayout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The data directory of a node: locked against a second process, with the node's identity (file {@code node}), the
 * cluster's layout once it has formed ({@code layout}), which replicas it holds ({@code replicas}), the write-ahead log in
 * {@code wal/} and checkpoints in {@code checkpoints/}. Files are replaced atomically and durably; what they say of the
 * identities of node and cluster must agree. Thread-safe, but for two writers of one file.
 */
final class NodeDirectory implements AutoCloseable {

    private static final String LOCK = "lock";
    private static final String IDENTITY = "node";
    private static final String LAYOUT = "layout";
    private static final String WAL = "wal";
    private static final String KIND = "elastickv-node";
    private static final int VERSION = 2;
    private static final String START_EMPTY =
            "restore it from a backup, or give the node an empty directory: it then comes back as a new member";
    private static final Pattern NODE_ID = Pattern.compile("[0-9a-f]{32}");
    private static final Pattern INCARNATION = Pattern.compile("[0-9]{1,18}");

    private final Path directory;
    private final String name;
    private final FileChannel lockChannel;
    private final FileLock lock;
    private final String nodeId;
    private final long incarnation;

    private NodeDirectory(
            Path directory, String name, FileChannel lockChannel, FileLock lock, String nodeId, long incarnation) {
        this.directory = directory;
        this.name = name;
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
            checkLog(directory);
            return new NodeDirectory(directory, nodeName, channel, lock, identity.nodeId, identity.incarnation);
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

    /** Replicas without the log in which they keep their votes would vote twice. */
    private static void checkLog(Path directory) throws IOException {
        if (!Files.exists(directory.resolve(HeldReplicas.FILE))) {
            return;
        }
        Path wal = directory.resolve(WAL);
        boolean there = false;
        if (Files.isDirectory(wal)) {
            try (Stream<Path> files = Files.list(wal)) {
                there = files.anyMatch(file -> file.toString().endsWith(".wal"));
            }
        }
        if (!there) {
            throw new IllegalStateException("dataDirectory = " + directory
                    + ": holds replicas, but their write-ahead log in "
                    + wal + " is gone; restore it, or give the node an empty directory: it then comes back as a new"
                    + " member");
        }
    }

    private record Identity(String nodeId, long incarnation) {}

    private static Identity loadIdentity(Path directory, String nodeName) throws IOException {
        Path file = directory.resolve(IDENTITY);
        String nodeId;
        long incarnation = 0;
        if (Files.exists(file)) {
            Map<String, String> fields = new HashMap<>();
            for (String line : CheckedText.read(file, KIND, VERSION, START_EMPTY)) {
                int equals = line.indexOf('=');
                if (equals > 0) {
                    fields.put(line.substring(0, equals), line.substring(equals + 1));
                }
            }
            String name = fields.get("name");
            String id = fields.get("nodeId");
            String count = fields.get("incarnation");
            if (name == null
                    || id == null
                    || !NODE_ID.matcher(id).matches()
                    || count == null
                    || !INCARNATION.matcher(count).matches()) {
                throw new IllegalStateException(
                        "file " + file + ": lacks a proper name, nodeId or incarnation; " + START_EMPTY);
            }
            if (!name.equals(nodeName)) {
                throw new IllegalStateException("dataDirectory = " + directory + ": belongs to node " + name
                        + ", this node is named " + nodeName + "; correct the name or the directory");
            }
            nodeId = id;
            incarnation = Long.parseLong(count);
        } else {
            if (Files.exists(directory.resolve(WAL))
                    || Files.exists(directory.resolve(LAYOUT))
                    || Files.exists(directory.resolve(HeldReplicas.FILE))) {
                throw new IllegalStateException("dataDirectory = " + directory + ": has data but no file '" + IDENTITY
                        + "'; restore that file, or give the node an empty directory");
            }
            byte[] random = new byte[16];
            new SecureRandom().nextBytes(random);
            nodeId = HexFormat.of().formatHex(random);
        }
        Identity identity = new Identity(nodeId, Math.max(incarnation + 1, System.currentTimeMillis()));
        CheckedText.replace(
                directory,
                IDENTITY,
                CheckedText.seal(KIND + " " + VERSION + "\nname=" + nodeName + "\nnodeId=" + identity.nodeId
                        + "\nincarnation=" + identity.incarnation + "\n"));
        return identity;
    }

    /** Where it is. */
    Path path() {
        return directory;
    }

    /** How much its disk has room for, in bytes; {@link Long#MAX_VALUE} if nobody knows. */
    long freeBytes() {
        try {
            return Files.getFileStore(directory).getUsableSpace();
        } catch (IOException e) {
            return Long.MAX_VALUE;
        }
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
        return directory.resolve(WAL);
    }

    /** Where the checkpoints of the replica of group {@code groupId} are. */
    Path checkpoints(int groupId) {
        return directory.resolve("checkpoints").resolve(Integer.toString(groupId));
    }

    /**
     * The layout, if the cluster has formed.
     *
     * @throws IllegalStateException if the file is damaged, or that of another node's directory
     */
    @Nullable
    ClusterLayout layout() {
        Path file = directory.resolve(LAYOUT);
        ClusterLayout layout;
        try {
            if (!Files.exists(file)) {
                return null;
            }
            layout = ClusterLayout.ofText(Files.readString(file));
        } catch (IOException | IllegalArgumentException e) {
            throw new IllegalStateException(
                    "file " + file + ": " + e.getMessage() + "; copy it from another member of the cluster", e);
        }
        if (layout.member(name).isEmpty()) {
            throw new IllegalStateException("dataDirectory = " + directory + ": its cluster has no member named " + name
                    + (layout.initialMembers().stream()
                                            .anyMatch(member -> member.name().equals(name))
                                    || layout.roster() != null
                            ? " any more, it was drained or given up; to join again give the node an empty directory"
                            : ""));
        }
        if (!layout.knows(name, nodeId)) {
            throw new IllegalStateException(
                    "file " + file + ": knows node " + name + " with other directories than this" + " one, " + nodeId
                            + "; files of several directories have been mixed: " + START_EMPTY);
        }
        return layout;
    }

    /** Keeps the layout, durably. */
    void saveLayout(ClusterLayout layout) {
        save(LAYOUT, layout.toText());
    }

    /**
     * The replicas that the directory holds, as part of {@code layout}; null if it never held any of that cluster.
     *
     * @throws IllegalStateException if the file is damaged or of another directory or cluster, or the log that belongs
     *     to it is gone
     */
    @Nullable
    HeldReplicas replicas(ClusterLayout layout) {
        Path file = directory.resolve(HeldReplicas.FILE);
        HeldReplicas replicas;
        try {
            if (!Files.exists(file)) {
                return null;
            }
            replicas = HeldReplicas.ofLines(CheckedText.read(
                    file, HeldReplicas.KIND, HeldReplicas.OLDEST_VERSION, HeldReplicas.VERSION, START_EMPTY));
        } catch (IOException | IllegalArgumentException e) {
            throw new IllegalStateException("file " + file + ": " + e.getMessage() + "; " + START_EMPTY, e);
        }
        if (!replicas.nodeId().equals(nodeId) || !replicas.clusterId().equals(layout.clusterIdText())) {
            throw new IllegalStateException("file " + file + ": of directory " + replicas.nodeId() + " in cluster "
                    + replicas.clusterId() + ", here are directory " + nodeId + " and cluster " + layout.clusterIdText()
                    + "; files of several directories have been mixed: " + START_EMPTY);
        }
        return replicas;
    }

    /** Keeps which replicas there are, durably. */
    void saveReplicas(HeldReplicas replicas) {
        save(HeldReplicas.FILE, replicas.toText());
    }

    private void save(String file, String text) {
        try {
            CheckedText.replace(directory, file, text);
        } catch (IOException e) {
            throw new UncheckedIOException("file " + directory.resolve(file) + ": cannot be written", e);
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
