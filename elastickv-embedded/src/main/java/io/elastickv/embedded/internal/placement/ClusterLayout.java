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
 * The cluster as it was formed, and who its members are now. The formation - the initial members and how the shards lay on
 * them - is a pure function of the members' identities and of two numbers, so that all initial members compute the same
 * without agreeing on anything but these. Since then nodes may have joined and left: the {@link Roster} says so as of a
 * revision of the catalog, which is where that is agreed on. Immutable.
 *
 * <p>A member that lost its data directory stands in it with the one that it was formed with, and with the
 * {@link Succession}s since. These only ever become more, and two layouts of one cluster are brought together by having
 * those of both, so that no agreement is needed on them either: what a directory may do is not decided here but by the
 * groups' configurations. The identity of the cluster is that of its formation.
 *
 * <p>As text, in files and messages (format 1): a first line {@code elastickv-layout 1}, lines {@code shards=},
 * {@code replication=} and {@code member=name host port nodeId}, and a last line {@code crc32c=} with eight hexadecimal
 * digits over all before it. With successions (format 2) the first line is {@code elastickv-layout 2} and lines
 * {@code successor=name since nodeId} follow the members. With a roster (format 3) the first line is
 * {@code elastickv-layout 3}, and a line {@code roster=revision} and lines {@code node=name host port nodeId since} come
 * before the successors.
 */
public final class ClusterLayout {

    private static final String HEADER = "elastickv-layout 1";
    private static final String HEADER_WITH_SUCCESSIONS = "elastickv-layout 2";
    private static final String HEADER_WITH_ROSTER = "elastickv-layout 3";
    private static final Comparator<Succession> ORDER = Comparator.comparing(Succession::node)
            .thenComparingLong(Succession::since)
            .thenComparing(Succession::nodeId);

    /**
     * The nodes that store data.
     *
     * @param revision of the catalog that says so
     * @param members them, ordered by name
     */
    public record Roster(long revision, List<Member> members) {

        /** Sorts them. */
        public Roster {
            members =
                    members.stream().sorted(Comparator.comparing(Member::name)).toList();
        }
    }

    private final List<Member> members;
    private final @Nullable Roster roster;
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
        this(members, shards, replicationFactor, null, List.of());
    }

    private ClusterLayout(
            List<Member> members,
            int shards,
            int replicationFactor,
            @Nullable Roster roster,
            List<Succession> successions) {
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
        this.roster = roster;
        List<Succession> ordered = new ArrayList<>(successions);
        ordered.sort(ORDER);
        this.successions = List.copyOf(ordered);
        this.clusterId = digest(formation());
    }

    /** The nodes that store data, ordered by name: those of the roster if there is one, the initial ones otherwise. */
    public List<Member> members() {
        return roster == null ? members : roster.members;
    }

    /** Those that the cluster was formed with, ordered by name. */
    public List<Member> initialMembers() {
        return members;
    }

    /** Who stores data, as far as the catalog is known; null if nobody has joined or left. */
    public @Nullable Roster roster() {
        return roster;
    }

    /** The member of this name. */
    public Optional<Member> member(String name) {
        return members().stream().filter(m -> m.name().equals(name)).findFirst();
    }

    /** With another roster; this one if its revision is not above the present one's, or it says nothing new. */
    public ClusterLayout with(@Nullable Roster other) {
        if (other == null || (roster != null && other.revision <= roster.revision) || other.members.equals(members())) {
            return this;
        }
        return new ClusterLayout(members, shards, replicationFactor, other, successions);
    }

    /** The directories that took the place of others: by node, the later ones last. */
    public List<Succession> successions() {
        return successions;
    }

    /** The identity of the data directory that stands for {@code node} now; null if it is no member. */
    public @Nullable String nodeIdOf(String node) {
        Member member = member(node).orElse(null);
        String current = member == null ? null : member.nodeId();
        for (Succession succession : successions) {
            // Those before it joined are of a former member of the same name.
            if (member != null && succession.node().equals(node) && succession.since() > member.since()) {
                current = succession.nodeId();
            }
        }
        return current;
    }

    /** Whether the directory {@code nodeId} stands for {@code node}, or once did. */
    public boolean knows(String node, String nodeId) {
        Member known = new Member(node, "", 0, nodeId);
        return isOf(members, known)
                || isOf(members(), known)
                || successions.stream()
                        .anyMatch(succession -> succession.node().equals(node)
                                && succession.nodeId().equals(nodeId));
    }

    private static boolean isOf(List<Member> members, Member known) {
        return members.stream()
                .anyMatch(member ->
                        member.name().equals(known.name()) && member.nodeId().equals(known.nodeId()));
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
        long since = Math.max(millis, member.since() + 1);
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
        return new ClusterLayout(members, shards, replicationFactor, roster, more);
    }

    /**
     * With what the other has of {@link #successions} and the later roster; this one if that is nothing new.
     *
     * @throws IllegalArgumentException if the other is of another cluster
     */
    public ClusterLayout merged(ClusterLayout other) {
        if (!Arrays.equals(clusterId, other.clusterId)) {
            throw new IllegalArgumentException(
                    "the layout is of cluster " + other.clusterIdText() + ", not of " + clusterIdText());
        }
        return with(other.roster).merged(other.successions);
    }

    /** With these successions too, those of strangers left out; this one if none is new. */
    public ClusterLayout merged(List<Succession> others) {
        Map<String, Succession> all = new LinkedHashMap<>();
        for (Succession one : successions) {
            all.put(one.node() + ' ' + one.nodeId(), one);
        }
        for (Succession one : others) {
            if (member(one.node()).isPresent()
                    || members.stream().anyMatch(initial -> initial.name().equals(one.node()))) {
                all.merge(one.node() + ' ' + one.nodeId(), one, (a, b) -> a.since() >= b.since() ? a : b);
            }
        }
        ClusterLayout merged = new ClusterLayout(members, shards, replicationFactor, roster, List.copyOf(all.values()));
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

    /** The shards and the catalog, as the cluster was formed with them. */
    public List<ShardPlacement> groups() {
        List<ShardPlacement> groups = new ArrayList<>(placements());
        groups.add(Catalog.placement(this));
        return groups;
    }

    /** The layout as text. */
    public String toText() {
        String body = body();
        return body + "crc32c=" + crc(body) + "\n";
    }

    private String body() {
        if (successions.isEmpty() && roster == null) {
            return formation();
        }
        StringBuilder text = new StringBuilder(roster == null ? HEADER_WITH_SUCCESSIONS : HEADER_WITH_ROSTER);
        text.append(formation(), HEADER.length(), formation().length());
        if (roster != null) {
            text.append("roster=").append(roster.revision).append('\n');
            for (Member member : roster.members) {
                text.append("node=")
                        .append(String.join(
                                " ",
                                member.name(),
                                member.host(),
                                Integer.toString(member.port()),
                                member.nodeId(),
                                Long.toString(member.since())))
                        .append('\n');
            }
        }
        for (Succession succession : successions) {
            text.append("successor=")
                    .append(String.join(" ", succession.node(), Long.toString(succession.since()), succession.nodeId()))
                    .append('\n');
        }
        return text.toString();
    }

    /** What the identity of the cluster comes from; also its text as long as nobody joined, left or lost a directory. */
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
        if (!List.of(HEADER, HEADER_WITH_SUCCESSIONS, HEADER_WITH_ROSTER).contains(lines.get(0))) {
            throw new IllegalArgumentException("cluster layout of version '" + lines.get(0) + "', this library reads '"
                    + HEADER + "', '" + HEADER_WITH_SUCCESSIONS + "' and '" + HEADER_WITH_ROSTER
                    + "': use the version of the library that wrote it");
        }
        if (!text.substring(end).strip().equals("crc32c=" + crc(body))) {
            throw new IllegalArgumentException("the cluster layout is damaged: its checksum does not match");
        }
        int shards = 0;
        int replication = 0;
        long revision = -1;
        List<Member> members = new ArrayList<>();
        List<Member> nodes = new ArrayList<>();
        List<Succession> successions = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            String[] fields = line.substring(line.indexOf('=') + 1).split(" ", -1);
            switch (line.substring(0, Math.max(0, line.indexOf('=')))) {
                case "shards" -> shards = Integer.parseInt(fields[0]);
                case "replication" -> replication = Integer.parseInt(fields[0]);
                case "roster" -> revision = Long.parseLong(fields[0]);
                case "member" -> {
                    checkFields("a member", fields, 4);
                    members.add(new Member(fields[0], fields[1], Integer.parseInt(fields[2]), fields[3]));
                }
                case "node" -> {
                    checkFields("a node", fields, 5);
                    nodes.add(new Member(
                            fields[0], fields[1], Integer.parseInt(fields[2]), fields[3], Long.parseLong(fields[4])));
                }
                case "successor" -> {
                    checkFields("a successor", fields, 3);
                    successions.add(new Succession(fields[0], Long.parseLong(fields[1]), fields[2]));
                }
                default -> throw new IllegalArgumentException("the cluster layout has an unknown line");
            }
        }
        Roster roster = revision < 0 ? null : new Roster(revision, nodes);
        return new ClusterLayout(members, shards, replication, roster, successions);
    }

    private static void checkFields(String what, String[] fields, int count) {
        if (fields.length != count) {
            throw new IllegalArgumentException("the cluster layout has " + what + " of " + fields.length + " fields");
        }
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
