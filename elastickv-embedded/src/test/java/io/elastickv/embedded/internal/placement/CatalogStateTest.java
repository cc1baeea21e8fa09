package io.elastickv.embedded.internal.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.elastickv.api.Bytes;
import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.plan.Automation;
import io.elastickv.embedded.internal.placement.plan.NodeState;
import io.elastickv.embedded.internal.placement.plan.Operation;
import io.elastickv.embedded.internal.placement.plan.RelievedKey;
import io.elastickv.embedded.internal.placement.plan.ShardStamps;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class CatalogStateTest {

    private static final Bytes KEY = Bytes.utf8("hot");

    static ClusterLayout layout(int nodes, int shards) {
        List<Member> members = new ArrayList<>();
        for (int i = 1; i <= nodes; i++) {
            members.add(new Member("n" + i, "10.0.0." + i, 7800 + i, String.format("%032x", i)));
        }
        return new ClusterLayout(members, shards, 3);
    }

    static List<Operation> operationsOfEachKind() {
        return List.of(
                new Operation.AddReplica(1, 2, "n4"),
                new Operation.RemoveReplica(1, 2, "n3"),
                new Operation.MoveReplica(1, 2, "n1", "n4"),
                new Operation.ReplaceDeadReplica(1, 2, "n1", "n4"),
                new Operation.TransferLeader(1, 2, "n1", "n2"),
                new Operation.SplitShard(1, 2, List.of(new SlotRange(5, 9)), "n2"),
                new Operation.SplitShard(1, 2, List.of(new SlotRange(5, 9), new SlotRange(11, 11)), null),
                new Operation.MergeShards(1, 2, 3, 4),
                new Operation.RelieveKey(1, 2, 5, KEY),
                new Operation.EndRelief(1, 2, 5, KEY),
                new Operation.ReleaseNode("n1"));
    }

    /** With each kind of record, and each field away from what it usually is. */
    private static CatalogState rich() {
        CatalogState state = CatalogState.initial(layout(2, 2));
        CatalogEdit edit = state.edit();
        edit.put(new CatalogNode("n3", "::1", 7803, "ff", "b", 6, NodeState.Lifecycle.JOINING, 7, ShardStamps.NEVER));
        edit.put(
                edit.node("n2").with(NodeState.Lifecycle.DRAINING, 8).refused(9).withZone("a"));
        edit.put(edit.group(Catalog.GROUP).preferring("n2").with(ShardStamps.NONE.moved(3)));
        CatalogShard left = state.shards().get(0);
        int child = edit.takeShard();
        edit.put(left.owning(new SlotRange(0, 99), 2)
                .relieving(new RelievedKey(50, KEY))
                .with(new ShardStamps(1, 2, 3, 4, 5)));
        edit.put(new CatalogShard(child, 2, new SlotRange(100, 8191), null, ShardStamps.NONE, List.of()));
        for (Operation operation : operationsOfEachKind()) {
            long id = edit.takeOperation();
            CatalogOperation.At at = CatalogOperation.At.first(Phase.SPLIT, 11)
                    .then(Phase.GIVE, 12)
                    .noting("note")
                    .making(child, 3, new SlotRange(5, 9));
            CatalogOperation running = new CatalogOperation(id, operation, "reason", "SPLIT", 10, at);
            if (id % 2 == 0) {
                edit.put(running);
            } else {
                edit.end(running.ended(List.of(PastOperation.Outcome.values()).get((int) (id % 3)), "why", 20 + id));
            }
        }
        edit.put(new Grave(1, List.of("n1", "n3")));
        edit.put(new CatalogSettings(5, Automation.REPAIRS, 1));
        return state.apply(edit.toDelta(30));
    }

    @Test
    void theFirstRevisionIsThatOfTheFormation() {
        CatalogState state = CatalogState.initial(layout(3, 8));

        assertThat(state.revision()).isEqualTo(1);
        assertThat(state.nodes().keySet()).containsExactly("n1", "n2", "n3");
        assertThat(state.nodes().get("n2"))
                .isEqualTo(new CatalogNode(
                        "n2",
                        "10.0.0.2",
                        7802,
                        String.format("%032x", 2),
                        "",
                        0,
                        NodeState.Lifecycle.ACTIVE,
                        0,
                        ShardStamps.NEVER));
        assertThat(state.shards()).hasSize(8);
        assertThat(state.shards().get(1).slots()).isEqualTo(new SlotRange(2048, 4095));
        assertThat(state.shards().get(1).preferredLeader()).isEqualTo("n2");
        assertThat(state.settings()).isEqualTo(new CatalogSettings(3, Automation.ALL, 8));
        assertThat(state.nextShard()).isEqualTo(8);
        assertThat(CatalogState.initial(layout(3, 8)).records().keySet())
                .isEqualTo(state.records().keySet());
    }

    @Test
    void recordsAndChangesSayTheSame() {
        CatalogState state = rich();

        assertThat(CatalogState.of(state.records())).usingRecursiveComparison().isEqualTo(state);
        assertThat(CatalogState.EMPTY.apply(state.since(CatalogState.EMPTY)))
                .usingRecursiveComparison()
                .isEqualTo(state);
        CatalogState first = CatalogState.initial(layout(2, 2));
        CatalogDelta delta = CatalogDelta.decode(state.since(first).encode());
        assertThat(first.apply(delta)).usingRecursiveComparison().isEqualTo(state);
        assertThat(state.running()).hasSize(5);
        assertThat(state.past()).hasSize(6);
        assertThat(CatalogState.of(Map.of())).isSameAs(CatalogState.EMPTY);
    }

    @Test
    void theBytesAreThoseOfVersionOne() {
        CatalogState state = rich();
        StringBuilder text = new StringBuilder();
        state.records()
                .forEach((key, value) -> text.append(key)
                        .append(' ')
                        .append(HexFormat.of().formatHex(value))
                        .append('\n'));
        assertThat(text.toString()).isEqualTo(GOLDEN);
        CatalogDelta delta = new CatalogDelta(
                1,
                2,
                List.of(
                        new CatalogDelta.Entry("{c}a", new byte[] {7, 8}),
                        new CatalogDelta.Entry("{c}b", null),
                        new CatalogDelta.Entry("{c}c", new byte[0])));
        assertThat(HexFormat.of().formatHex(delta.encode()))
                .isEqualTo("01" + "0000000000000001" + "0000000000000002" + "00000003" + "00047b637d61" + "00000002"
                        + "0708" + "00047b637d62" + "ffffffff" + "00047b637d63" + "00000000");
    }

    @Test
    void allKeysAreInOneSlot() {
        for (String key : rich().records().keySet()) {
            assertThat(KeySlot.of(Bytes.utf8(key))).isEqualTo(CatalogKeys.SLOT);
        }
    }

    @Test
    void everySlotIsOwnedExactlyOnce() {
        CatalogState state = CatalogState.initial(layout(3, 4));
        CatalogShard first = state.shards().get(0);

        assertRefused(state, state.edit().put(first.owning(new SlotRange(0, 4000), 2)), "owns slot 4001");
        assertRefused(state, state.edit().put(first.owning(new SlotRange(1, 4095), 2)), "owns slot 0");
        assertRefused(
                state, state.edit().put(first.owning(new SlotRange(0, 4096), 2)), "shards 0 and 1 both own slot 4096");
        assertRefused(state, state.edit().removeShard(3), "owns slot 12288");
        assertRefused(
                state,
                state.edit()
                        .removeShard(3)
                        .put(new CatalogShard(9, 2, new SlotRange(12288, 16383), null, ShardStamps.NONE, List.of())),
                "shard 9, and the next one is 4");
    }

    private static void assertRefused(CatalogState state, CatalogEdit edit, String why) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> state.apply(edit.toDelta(1)))
                .withMessageContaining(why);
    }

    @Test
    void aChangeFitsOneRevisionOnly() {
        CatalogState state = CatalogState.initial(layout(3, 4));
        CatalogDelta delta = state.edit().removeNode("n3").toDelta(5);
        CatalogState next = state.apply(delta);

        assertThat(next.revision()).isEqualTo(2);
        assertThat(next.millis()).isEqualTo(5);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> next.apply(delta))
                .withMessageContaining("revision 1")
                .withMessageContaining("at 2");
        assertThatIllegalArgumentException().isThrownBy(() -> new CatalogDelta(2, 2, List.of()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new CatalogDelta(
                        1, 2, List.of(new CatalogDelta.Entry("a", null), new CatalogDelta.Entry("a", null))));
    }

    @Test
    void onlyTheLatestOperationsAreRemembered() {
        CatalogState state = CatalogState.initial(layout(3, 4));
        for (int i = 0; i < CatalogState.MAX_PAST + 20; i++) {
            CatalogEdit edit = state.edit();
            CatalogOperation operation = new CatalogOperation(
                    edit.takeOperation(),
                    new Operation.ReleaseNode("x"),
                    "",
                    "DRAIN",
                    i,
                    CatalogOperation.At.first(Phase.RECORD, i));
            state = state.apply(
                    edit.end(operation.ended(PastOperation.Outcome.DONE, "", i)).toDelta(i));
        }
        assertThat(state.past()).hasSize(CatalogState.MAX_PAST);
        assertThat(state.past().get(0).id()).isEqualTo(21);
        assertThat(state.past().get(CatalogState.MAX_PAST - 1).id()).isEqualTo(CatalogState.MAX_PAST + 20);
    }

    @Test
    void whatIsNotKnownIsRefusedAndSaysWhich() {
        Map<String, byte[]> records = rich().records();
        assertRecord(records, "{c}other", new byte[] {1}, "'{c}other' that is not known");
        assertRecord(records, "{c}shard/x", new byte[] {1}, "'{c}shard/x' without a number");
        assertRecord(records, "{c}node/n9", records.get("{c}node/n1"), "{c}node/n9 says it is n1");
        byte[] newer = records.get("{c}node/n1").clone();
        newer[0] = 2;
        assertRecord(records, "{c}node/n1", newer, "{c}node/n1 is of version 2");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CatalogState.of(Map.of("{c}settings", records.get("{c}settings"))))
                .withMessageContaining("no revision");
    }

    private static void assertRecord(Map<String, byte[]> records, String key, byte[] value, String why) {
        Map<String, byte[]> other = new TreeMap<>(records);
        other.put(key, value);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CatalogState.of(other))
                .withMessageContaining(why);
    }

    @Test
    void damagedBytesAreRefusedAndNothingElse() {
        Map<String, byte[]> records = rich().records();
        SplittableRandom random = new SplittableRandom(1);
        byte[] delta = rich().since(CatalogState.EMPTY).encode();
        for (int i = 0; i < 3000; i++) {
            byte[] damaged = delta.clone();
            damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
            orRefused(() -> CatalogState.EMPTY.apply(CatalogDelta.decode(damaged)));
        }
        records.forEach((key, value) -> {
            for (int length = 0; length < value.length; length++) {
                byte[] cut = Arrays.copyOf(value, length);
                assertThatIllegalArgumentException()
                        .as(key + " cut at " + length)
                        .isThrownBy(() -> CatalogState.of(Map.of(key, cut, CatalogKeys.REVISION, cut)));
            }
        });
    }

    private static void orRefused(Runnable decoding) {
        try {
            decoding.run();
        } catch (IllegalArgumentException e) {
            assertThat(e).hasMessageMatching("(?s).+");
        }
    }

    private static final String GOLDEN = """
            {c}counters 0100000003000000000000000c
            {c}grave/000001 0100000001000200026e3100026e33
            {c}node/n1 0100026e31000831302e302e302e3100001e790020303030303030303030303030303030303030303030303030303030303030303100000000000000000000020000000000000000e000000000000000
            {c}node/n2 0100026e32000831302e302e302e3200001e7a0020303030303030303030303030303030303030303030303030303030303030303200016100000000000000000300000000000000080000000000000009
            {c}node/n3 0100026e3300033a3a3100001e7b000266660001620000000000000006010000000000000007e000000000000000
            {c}op/000000000002 0100000000000000020200000001000000000000000200026e330006726561736f6e000553504c4954000000000000000a0800000001000000000000000c00046e6f74650000000200000000000000030100050009
            {c}op/000000000004 0100000000000000040400000001000000000000000200026e3100026e340006726561736f6e000553504c4954000000000000000a0800000001000000000000000c00046e6f74650000000200000000000000030100050009
            {c}op/000000000006 0100000000000000060600000001000000000000000200000001000500090100026e320006726561736f6e000553504c4954000000000000000a0800000001000000000000000c00046e6f74650000000200000000000000030100050009
            {c}op/000000000008 010000000000000008070000000100000000000000020000000300000000000000040006726561736f6e000553504c4954000000000000000a0800000001000000000000000c00046e6f74650000000200000000000000030100050009
            {c}op/000000000010 01000000000000000a09000000010000000000000002000500000003686f740006726561736f6e000553504c4954000000000000000a0800000001000000000000000c00046e6f74650000000200000000000000030100050009
            {c}past/000000000001 0100000000000000010100000001000000000000000200026e340006726561736f6e000553504c4954000000000000000a0200037768790000000000000015
            {c}past/000000000003 0100000000000000030300000001000000000000000200026e3100026e340006726561736f6e000553504c4954000000000000000a0100037768790000000000000017
            {c}past/000000000005 0100000000000000050500000001000000000000000200026e3100026e320006726561736f6e000553504c4954000000000000000a0300037768790000000000000019
            {c}past/000000000007 010000000000000007060000000100000000000000020000000200050009000b000b000006726561736f6e000553504c4954000000000000000a020003776879000000000000001b
            {c}past/000000000009 01000000000000000908000000010000000000000002000500000003686f740006726561736f6e000553504c4954000000000000000a010003776879000000000000001d
            {c}past/000000000011 01000000000000000b0a00026e310006726561736f6e000553504c4954000000000000000a030003776879000000000000001f
            {c}revision 010000000000000002000000000000001e
            {c}self 0140000000000000000000000100003fff0100026e32e0000000000000000000000000000003e000000000000000e000000000000000e00000000000000000000000
            {c}settings 01000000050200000001
            {c}shard/000000 01000000000000000000000002000000630100026e310000000000000001000000000000000200000000000000030000000000000004000000000000000500000001003200000003686f74
            {c}shard/000001 0100000001000000000000000120003fff0100026e32e000000000000000e000000000000000e000000000000000e000000000000000e00000000000000000000000
            {c}shard/000002 0100000002000000000000000200641fff00e000000000000000e000000000000000e000000000000000e000000000000000e00000000000000000000000
            """;
}
