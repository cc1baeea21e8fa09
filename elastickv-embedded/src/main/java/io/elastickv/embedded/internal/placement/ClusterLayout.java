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
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The cluster as it was formed: its members and how the shards lie on them. A pure function of the members' identities
 * and of two numbers, so that all initial members compute the same without agreeing on anything but these. Immutable.
 *
 * <p>As text, in files and messages (format 1): a first line {@code elastickv-layout 1}, lines {@code shards=},
 * {@code replication=} and {@code member=name host port nodeId}, and a last line {@code crc32c=} with eight hexadecimal
 * digits over all before it.
 */
public final class ClusterLayout {

    private static final String HEADER = "elastickv-layout 1";

    private final List<Member> members;
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
        this.clusterId = digest(body());
    }

    /** The members, ordered by name. */
    public List<Member> members() {
        return members;
    }

    /** The member of this name. */
    public Optional<Member> member(String name) {
        return members.stream().filter(m -> m.name().equals(name)).findFirst();
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
        if (!lines.get(0).equals(HEADER)) {
            throw new IllegalArgumentException("cluster layout of version '" + lines.get(0) + "', this library reads '"
                    + HEADER + "': use the version of the library that wrote it");
        }
        if (!text.substring(end).strip().equals("crc32c=" + crc(body))) {
            throw new IllegalArgumentException("the cluster layout is damaged: its checksum does not match");
        }
        int shards = 0;
        int replication = 0;
        List<Member> members = new ArrayList<>();
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
            } else {
                throw new IllegalArgumentException("the cluster layout has an unknown line");
            }
        }
        return new ClusterLayout(members, shards, replication);
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
