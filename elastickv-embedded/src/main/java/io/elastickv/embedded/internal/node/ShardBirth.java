package io.elastickv.embedded.internal.node;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.ShardPlacement;
import io.elastickv.embedded.internal.raft.MemberId;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.MalformedMessageException;
import io.elastickv.embedded.internal.shard.SlotRanges;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * How a shard's group began, which is the same for all of its replicas for ever: what one of them starts from that has no
 * checkpoint. What the shard owns now, and who its members are now, comes from its log.
 *
 * <p>As text, in files and messages: {@code parent epoch first-last[,first-last...] configuration}, the last in hexadecimal
 * digits, as {@link Configuration#encode} has it.
 *
 * @param shard its number
 * @param parent the shard it was split off from; {@link #NONE} if the cluster was formed with it
 * @param epoch of its ownership at the beginning of its log
 * @param slots at the beginning of its log
 * @param members of its group at the beginning of its log; the node of the first voter should lead it
 */
record ShardBirth(int shard, int parent, long epoch, List<SlotRange> slots, Configuration members) {

    /** In place of a parent. */
    static final int NONE = -1;

    ShardBirth {
        slots = List.copyOf(slots);
        if (slots.isEmpty() || members.voters().isEmpty()) {
            throw new IllegalArgumentException("shard " + shard + ": slots " + slots + ", members " + members);
        }
    }

    /** That of a shard that the cluster was formed with. */
    static ShardBirth formed(ClusterLayout layout, ShardPlacement placement) {
        return new ShardBirth(
                placement.id(), NONE, placement.epoch(), placement.slots(), ShardMembers.initial(layout, placement));
    }

    /** That of the shard that {@code split} makes of {@code slots} of {@code parent}. */
    static ShardBirth of(int parent, Command.SplitShard split, SlotRanges slots) {
        return new ShardBirth(
                split.newShard(),
                parent,
                split.newEpoch(),
                slots.ranges(),
                Configuration.decode(split.configuration()));
    }

    /** Whether it was split off. */
    boolean isSplitOff() {
        return parent != NONE;
    }

    /** The node that should lead it. */
    String preferredLeader() {
        return MemberId.node(members.voters().get(0));
    }

    /** The nodes that its voters were on. */
    List<String> nodes() {
        return ShardMembers.nodes(members);
    }

    /** As text. */
    String text() {
        List<String> ranges = new ArrayList<>();
        slots.forEach(range -> ranges.add(range.first() + "-" + range.last()));
        return parent + " " + epoch + " " + String.join(",", ranges) + " "
                + HexFormat.of().formatHex(members.encode());
    }

    /**
     * Reads what {@link #text()} gave.
     *
     * @throws IllegalArgumentException if it is something else
     */
    static ShardBirth parse(int shard, String text) {
        String[] fields = text.split(" ", -1);
        if (fields.length != 4) {
            throw new IllegalArgumentException("the birth of shard " + shard + " has " + fields.length + " fields");
        }
        List<SlotRange> slots = new ArrayList<>();
        for (String range : fields[2].split(",", -1)) {
            int dash = range.indexOf('-');
            slots.add(new SlotRange(
                    Integer.parseInt(range.substring(0, Math.max(0, dash))),
                    Integer.parseInt(range.substring(dash + 1))));
        }
        try {
            Configuration members = Configuration.decode(HexFormat.of().parseHex(fields[3]));
            return new ShardBirth(shard, Integer.parseInt(fields[0]), Long.parseLong(fields[1]), slots, members);
        } catch (MalformedMessageException e) {
            throw new IllegalArgumentException("the birth of shard " + shard + ": " + e.getMessage(), e);
        }
    }
}
