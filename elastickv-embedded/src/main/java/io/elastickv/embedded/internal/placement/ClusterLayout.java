package io.elastickv.embedded.internal.placement;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The cluster as it was formed: its members and how the shards lie on them. A pure function of the members' identities
 * and of two numbers, so that all initial members compute the same without agreeing on anything but these. Immutable.
 *
 * <p>A member that lost its data directory stands in it with the one that it was formed with, and with the
 * {@link Succession}s since. These only ever become more, and two layouts of one cluster are brought together by having
 * those of both, so that no agreement is needed on them either: what a directory may do is not decided here but by the
 * groups' configurations. The identity of the cluster is that of its formation.
 *
 * <p>As text, in files and messages (format 1): a first line {@code elastickv-layout 1}, lines {@code shards=},
 * {@code replication=} and {@code member=name host port nodeId}, and a last line {@code crc32c=} with eight hexadecimal
 * digits over all before it. With successions (format 2) the first line is {@code elastickv-layout 2} and lines
 * {@code successor=name since nodeId} follow the members.
 */
public final class ClusterLayout {

    private static final String HEADER = "elastickv-layout 1";
    private static final String HEADER_WITH_SUCCESSIONS = "elastickv-layout 2";
    private static final Comparator<Succession> ORDER = Comparator.comparing(Succession::node)
            .thenComparingLong(Succession::since)
            .thenComparing(Succession::nodeId);

    private final List<Member> members;
    private final List<Succession> successions;
    private final int shards;
    private final int replicationFactor;
    private final byte[] clusterId;

    /**
     * A layout.
     *
     * @param shards how many shards there are, 1 to 16384
     * @param replicationFactor how many replicas each shard has, if there are as many members
     * @throws IllegalArgumentException if there is no member, a name twice, or a number out of range
     */
    public ClusterLayout(List<Member> members, int shards, int replicationFactor) {
        this(members, shards, replicationFactor, List.of());
    }

    private ClusterLayout(List<Member> members, int shards, int replicationFactor, List<Succession> successions) {
        if (members.isEmpty()) {
            throw new IllegalArgumentException("a cluster needs at least one member");
        }
        if (shards < 1 || shards > KeySlot.COUNT) {
            throw new IllegalArgumentException("shards = " + shards + ": must be within 1-" + KeySlot.COUNT);
        }
        if (replicationFactor < 1) {
            throw new IllegalArgumentException("replicationFactor = " + replicationFactor + ": must be at least 1");
        }
        List<Member> sorted = new ArrayList<>(members);
        sorted.sort(Comparator.comparing(Member::name));
        for (int i = 1; i < sorted.size(); i++) {
            if (sorted.get(i).name().equals(sorted.get(i - 1).name())) {
                throw new IllegalArgumentException("two members are named "
                        + sorted.get(i).name() + ": " + sorted.get(i - 1).address() + " and "
                        + sorted.get(i).address());
            }
        }
        this.members = List.copyOf(sorted);
        this.shards = shards;
        this.replicationFactor = replicationFactor;
        List<Succession> ordered = new ArrayList<>(successions);
        ordered.sort(ORDER);
        this.successions = List.copyOf(ordered);
        this.clusterId = digest(formation());
    }

    /** The members, ordered by name. */
    public List<Member> members() {
        return members;
    }

    /** The member of this name. */
    public Optional<Member> member(String name) {
        return members.stream().filter(m -> m.name().equals(name)).findFirst();
    }

    /** The directories that took the place of others: by node, the later ones last. */
    public List<Succession> successions() {
        return successions;
    }

    /** The identity of the data directory that stands for {@code node} now; null if it is no member. */
    public @Nullable String nodeIdOf(String node) {
        String current = member(node).map(Member::nodeId).orElse(null);
        for (Succession succession : successions) {
            if (succession.node().equals(node)) {
                current = succession.nodeId();
            }
        }
        return current;
    }

    /** Whether the directory {@code nodeId} stands for {@code node}, or once did. */
    public boolean knows(String node, String nodeId) {
        return member(node).filter(member -> member.nodeId().equals(nodeId)).isPresent()
                || successions.stream()
                        .anyMatch(succession -> succession.node().equals(node)
                                && succession.nodeId().equals(nodeId));
    }

    /**
     * With the directory {@code nodeId} in the place of the one that stood for {@code node}.
     *
     * @param millis the time, in milliseconds since 1970
     * @throws IllegalArgumentException if the node is no member, or the directory is or was that of the node, or has the
     *     same {@link ReplicaKey} as one that was
     */
    public ClusterLayout succeeded(String node, String nodeId, long millis) {
        Member member =
                member(node).orElseThrow(() -> new IllegalArgumentException("the cluster has no member named " + node));
        long since = millis;
        List<Succession> more = new ArrayList<>(successions);
        String key = ReplicaKey.directoryOf(nodeId);
        boolean taken = key.equals(ReplicaKey.directoryOf(member.nodeId()));
        for (Succession succession : successions) {
            if (succession.node().equals(node)) {
                since = Math.max(since, succession.since() + 1);
                taken |= key.equals(ReplicaKey.directoryOf(succession.nodeId()));
            }
        }
        if (taken) {
            throw new IllegalArgumentException("node " + node + " had a directory " + key + " before");
        }
        more.add(new Succession(node, since, nodeId));
        return new ClusterLayout(members, shards, replicationFactor, more);
    }

    /**
     * With what the other has of {@link #successions}; this one if that is nothing new.
     *
     * @throws IllegalArgumentException if the other is of another cluster
     */
    public ClusterLayout merged(ClusterLayout other) {
        if (!Arrays.equals(clusterId, other.clusterId)) {
            throw new IllegalArgumentException(
                    "the layout is of cluster " + other.clusterIdText() + ", not of " + clusterIdText());
        }
        return merged(other.successions);
    }

    /** With these successions too, those of strangers left out; this one if none is new. */
    public ClusterLayout merged(List<Succession> others) {
        Map<String, Succession> all = new LinkedHashMap<>();
        for (Succession one : successions) {
            all.put(one.node() + ' ' + one.nodeId(), one);
        }
        for (Succession one : others) {
            if (member(one.node()).isPresent()) {
                all.merge(one.node() + ' ' + one.nodeId(), one, (a, b) -> a.since() >= b.since() ? a : b);
            }
        }
        ClusterLayout merged = new ClusterLayout(members, shards, replicationFactor, List.copyOf(all.values()));
        return merged.successions.equals(successions) ? this : merged;
    }

    /** The number of shards. */
    public int shards() {
        return shards;
    }

    /** The number of replicas wanted for each shard. */
    public int replicationFactor() {
        return replicationFactor;
    }

    /** The identity of the cluster: 16 bytes. */
    public byte[] clusterId() {
        return clusterId.clone();
    }

    /** The identity of the cluster: 32 hexadecimal digits. */
    public String clusterIdText() {
        return HexFormat.of().formatHex(clusterId);
    }

    /** The shards: equal runs of slots; replicas on consecutive members, so that first ones spread evenly. */
    public List<ShardPlacement> placements() {
        int copies = Math.min(replicationFactor, members.size());
        List<ShardPlacement> placements = new ArrayList<>(shards);
        for (int shard = 0; shard < shards; shard++) {
            int first = (int) ((long) shard * KeySlot.COUNT / shards);
            int last = (int) ((long) (shard + 1) * KeySlot.COUNT / shards) - 1;
            List<String> replicas = new ArrayList<>(copies);
            for (int i = 0; i < copies; i++) {
                replicas.add(members.get((shard + i) % members.size()).name());
            }
            placements.add(new ShardPlacement(shard, 1, List.of(new SlotRange(first, last)), List.copyOf(replicas)));
        }
        return placements;
    }

    /** The layout as text. */
    public String toText() {
        String body = body();
        return body + "crc32c=" + crc(body) + "\n";
    }

    private String body() {
        if (successions.isEmpty()) {
            return formation();
        }
        StringBuilder text = new StringBuilder(HEADER_WITH_SUCCESSIONS);
        text.append(formation(), HEADER.length(), formation().length());
        for (Succession succession : successions) {
            text.append("successor=")
                    .append(String.join(" ", succession.node(), Long.toString(succession.since()), succession.nodeId()))
                    .append('\n');
        }
        return text.toString();
    }

    /** What the identity of the cluster comes from; also its text as long as nobody has lost a directory. */
    private String formation() {
        StringBuilder text = new StringBuilder(HEADER).append('\n');
        text.append("shards=").append(shards).append('\n');
        text.append("replication=").append(replicationFactor).append('\n');
        for (Member member : members) {
            text.append("member=")
                    .append(String.join(
                            " ", member.name(), member.host(), Integer.toString(member.port()), member.nodeId()))
                    .append('\n');
        }
        return text.toString();
    }

    /**
     * Reads what {@link #toText()} gave.
     *
     * @throws IllegalArgumentException if the text is damaged or of another version; the message says which
     */
    public static ClusterLayout ofText(String text) {
        int end = text.lastIndexOf("crc32c=");
        if (!text.startsWith("elastickv-layout ") || end < 0) {
            throw new IllegalArgumentException("not a cluster layout");
        }
        String body = text.substring(0, end);
        List<String> lines = body.lines().toList();
        if (!lines.get(0).equals(HEADER) && !lines.get(0).equals(HEADER_WITH_SUCCESSIONS)) {
            throw new IllegalArgumentException("cluster layout of version '" + lines.get(0) + "', this library reads '"
                    + HEADER + "' and '" + HEADER_WITH_SUCCESSIONS
                    + "': use the version of the library that wrote it");
        }
        if (!text.substring(end).strip().equals("crc32c=" + crc(body))) {
            throw new IllegalArgumentException("the cluster layout is damaged: its checksum does not match");
        }
        int shards = 0;
        int replication = 0;
        List<Member> members = new ArrayList<>();
        List<Succession> successions = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            String value = line.substring(line.indexOf('=') + 1);
            if (line.startsWith("shards=")) {
                shards = Integer.parseInt(value);
            } else if (line.startsWith("replication=")) {
                replication = Integer.parseInt(value);
            } else if (line.startsWith("member=")) {
                String[] fields = value.split(" ", -1);
                if (fields.length != 4) {
                    throw new IllegalArgumentException(
                            "the cluster layout has a member of " + fields.length + " fields");
                }
                members.add(new Member(fields[0], fields[1], Integer.parseInt(fields[2]), fields[3]));
            } else if (line.startsWith("successor=")) {
                String[] fields = value.split(" ", -1);
                if (fields.length != 3) {
                    throw new IllegalArgumentException(
                            "the cluster layout has a successor of " + fields.length + " fields");
                }
                successions.add(new Succession(fields[0], Long.parseLong(fields[1]), fields[2]));
            } else {
                throw new IllegalArgumentException("the cluster layout has an unknown line");
            }
        }
        return new ClusterLayout(members, shards, replication, successions);
    }

    private static String crc(String text) {
        CRC32C crc = new CRC32C();
        crc.update(text.getBytes(UTF_8));
        return HexFormat.of().toHexDigits((int) crc.getValue());
    }

    private static byte[] digest(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
            return Arrays.copyOf(hash, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
