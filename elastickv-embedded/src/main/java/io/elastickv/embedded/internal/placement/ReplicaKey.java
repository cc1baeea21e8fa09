package io.elastickv.embedded.internal.placement;

import java.util.regex.Pattern;

/**
 * What tells a replica from all others that its node has or had of the same shard; the key of its
 * {@link io.elastickv.embedded.internal.raft.MemberId}. As text: the directory alone for a replica that the cluster was
 * formed with, and with {@code .version} for one added later.
 *
 * <p>A leader adds a member only to a configuration whose version is below the one in the member's key. So a committed
 * configuration of that version or a later one in which the member is missing proves that it is gone for good: were it
 * added after that one, the version before it would not be below the key's.
 *
 * @param directory the first eight digits of the identity of the data directory it is in
 * @param version the version of the configuration that it was made for, 0 for the first
 */
public record ReplicaKey(String directory, long version) {

    private static final int DIGITS = 8;
    private static final Pattern TEXT = Pattern.compile("[0-9A-Za-z]{1,8}(\\.[0-9]{1,18})?");

    /** The key of a replica in the directory {@code nodeId} that the cluster was formed with. */
    public static ReplicaKey initial(String nodeId) {
        return new ReplicaKey(directoryOf(nodeId), 0);
    }

    /** The key of a replica in the directory {@code nodeId} that a configuration of {@code version} adds. */
    public static ReplicaKey added(String nodeId, long version) {
        if (version < 1) {
            throw new IllegalArgumentException("version " + version + " adds no replica");
        }
        return new ReplicaKey(directoryOf(nodeId), version);
    }

    /** What stands for the directory {@code nodeId} in keys. */
    public static String directoryOf(String nodeId) {
        return nodeId.length() <= DIGITS ? nodeId : nodeId.substring(0, DIGITS);
    }

    /**
     * Reads what {@link #text()} gave.
     *
     * @throws IllegalArgumentException if it is something else
     */
    public static ReplicaKey parse(String text) {
        if (!TEXT.matcher(text).matches()) {
            throw new IllegalArgumentException("'" + text + "' is not the key of a replica");
        }
        int dot = text.indexOf('.');
        return dot < 0
                ? new ReplicaKey(text, 0)
                : new ReplicaKey(text.substring(0, dot), Long.parseLong(text.substring(dot + 1)));
    }

    /** Whether the cluster was formed with it. */
    public boolean isInitial() {
        return version == 0;
    }

    /** Whether it is in the directory {@code nodeId}. */
    public boolean isIn(String nodeId) {
        return directory.equals(directoryOf(nodeId));
    }

    /** As text. */
    public String text() {
        return version == 0 ? directory : directory + "." + version;
    }
}
