package io.elastickv.embedded.internal.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ClusterLayoutTest {

    private static final String GOLDEN = """
            elastickv-layout 1
            shards=8
            replication=3
            member=n1 10.0.0.1 7801 00112233445566778899aabbccddeeff
            member=n2 ::1 7802 ffeeddccbbaa99887766554433221100
            crc32c=9244f8fd
            """;

    private static Member member(int i) {
        return new Member("n" + i, "10.0.0." + i, 7800 + i, String.format("%032x", i));
    }

    private static List<Member> members(int count) {
        List<Member> members = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            members.add(member(i));
        }
        return members;
    }

    private static ClusterLayout golden() {
        return new ClusterLayout(
                List.of(
                        new Member("n2", "::1", 7802, "ffeeddccbbaa99887766554433221100"),
                        new Member("n1", "10.0.0.1", 7801, "00112233445566778899aabbccddeeff")),
                8,
                3);
    }

    @Test
    void theTextStays() {
        assertThat(golden().toText()).isEqualTo(GOLDEN);
        assertThat(golden().clusterIdText()).isEqualTo("9b04440fe6a168d7e8acf483a3a90147");
    }

    @Test
    void whatIsWrittenIsRead() {
        ClusterLayout read = ClusterLayout.ofText(golden().toText());
        assertThat(read.members()).isEqualTo(golden().members());
        assertThat(read.shards()).isEqualTo(8);
        assertThat(read.replicationFactor()).isEqualTo(3);
        assertThat(read.clusterId()).isEqualTo(golden().clusterId()).hasSize(16);
        assertThat(read.member("n2")).contains(read.members().get(1));
        assertThat(read.member("n3")).isEmpty();
    }

    @Test
    void everyMemberComputesTheSameInWhateverOrderItHeardOfTheOthers() {
        List<Member> members = new ArrayList<>(members(5));
        String text = new ClusterLayout(members, 16, 3).toText();
        for (int i = 0; i < 20; i++) {
            Collections.shuffle(members, new Random(i));
            ClusterLayout layout = new ClusterLayout(members, 16, 3);
            assertThat(layout.toText()).isEqualTo(text);
            assertThat(layout.placements()).isEqualTo(ClusterLayout.ofText(text).placements());
        }
    }

    @Test
    void anotherDirectoryIsAnotherCluster() {
        Member other = new Member("n1", "10.0.0.1", 7801, "x");
        assertThat(new ClusterLayout(List.of(other), 8, 3).clusterIdText())
                .hasSize(32)
                .isNotEqualTo(new ClusterLayout(members(1), 8, 3).clusterIdText());
    }

    @Test
    void theIdentityIsNotLentToBeChanged() {
        ClusterLayout layout = golden();
        layout.clusterId()[0]++;
        assertThat(layout.clusterId()).isEqualTo(golden().clusterId());
    }

    @Test
    void everySlotHasOneShardAndTheShardsAreOfEqualSize() {
        for (int shards : new int[] {1, 2, 3, 7, 8, 100, 1000, KeySlot.COUNT}) {
            List<ShardPlacement> placements = new ClusterLayout(members(3), shards, 3).placements();
            assertThat(placements).hasSize(shards);
            int next = 0;
            for (int i = 0; i < shards; i++) {
                assertThat(placements.get(i).id()).isEqualTo(i);
                SlotRange range = placements.get(i).slots().get(0);
                assertThat(range.first()).isEqualTo(next);
                assertThat(range.size()).isBetween(KeySlot.COUNT / shards, KeySlot.COUNT / shards + 1);
                next = range.last() + 1;
            }
            assertThat(next).isEqualTo(KeySlot.COUNT);
        }
    }

    @Test
    void leadersAndReplicasSpreadEvenly() {
        for (int members = 1; members <= 7; members++) {
            for (int shards : new int[] {1, 5, 8, 64}) {
                for (int factor = 1; factor <= 5; factor++) {
                    Map<String, Integer> leaders = new HashMap<>();
                    Map<String, Integer> replicas = new HashMap<>();
                    for (ShardPlacement placement : new ClusterLayout(members(members), shards, factor).placements()) {
                        assertThat(placement.replicas())
                                .hasSize(Math.min(factor, members))
                                .doesNotHaveDuplicates();
                        leaders.merge(placement.preferredLeader(), 1, Integer::sum);
                        placement.replicas().forEach(node -> replicas.merge(node, 1, Integer::sum));
                    }
                    int fewest = shards < members ? 1 : shards / members;
                    assertThat(leaders.values())
                            .as("%d members, %d shards", members, shards)
                            .allMatch(count -> count >= fewest && count <= fewest + 1);
                    assertThat(Collections.max(replicas.values()) - Collections.min(replicas.values()))
                            .as("%d members, %d shards, %d replicas", members, shards, factor)
                            .isLessThanOrEqualTo(Math.min(factor, members));
                }
            }
        }
    }

    @Test
    void contradictionsAreNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ClusterLayout(List.of(), 8, 3))
                .withMessageContaining("at least one member");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ClusterLayout(members(1), 0, 3))
                .withMessageContaining("shards = 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ClusterLayout(members(1), KeySlot.COUNT + 1, 3))
                .withMessageContaining("shards = 16385");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ClusterLayout(members(1), 8, 0))
                .withMessageContaining("replicationFactor = 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        new ClusterLayout(List.of(member(1), member(2), new Member("n1", "10.0.0.9", 1, "x")), 8, 3))
                .withMessage("two members are named n1: 10.0.0.1:7801 and 10.0.0.9:1");
    }

    @Test
    void anAddressOfIpv6StandsInBrackets() {
        assertThat(golden().members().get(1).address()).isEqualTo("[::1]:7802");
        assertThat(member(1).address()).isEqualTo("10.0.0.1:7801");
    }

    @Test
    void anotherVersionAndAnotherFileAreNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ClusterLayout.ofText(golden().toText().replace("layout 1", "layout 4")))
                .withMessageContaining("version 'elastickv-layout 4'");
        for (String text : List.of("", "hello", "elastickv-layout 1\n", "crc32c=00000000")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> ClusterLayout.ofText(text))
                    .withMessageContaining("not a cluster layout");
        }
    }

    private static final String GOLDEN_SUCCEEDED = """
            elastickv-layout 2
            shards=8
            replication=3
            member=n1 10.0.0.1 7801 00112233445566778899aabbccddeeff
            member=n2 ::1 7802 ffeeddccbbaa99887766554433221100
            successor=n2 1000 aa
            successor=n2 1001 bb
            crc32c=eb0e4a28
            """;

    private static ClusterLayout succeeded() {
        return golden().succeeded("n2", "aa", 1000).succeeded("n2", "bb", 5);
    }

    @Test
    void aDirectoryTakesThePlaceOfALostOneInTheSameCluster() {
        assertThat(succeeded().toText()).isEqualTo(GOLDEN_SUCCEEDED);
        ClusterLayout read = ClusterLayout.ofText(GOLDEN_SUCCEEDED);
        assertThat(read.toText()).isEqualTo(GOLDEN_SUCCEEDED);
        assertThat(read.clusterId()).isEqualTo(golden().clusterId());
        assertThat(read.placements()).isEqualTo(golden().placements());
        assertThat(read.members()).isEqualTo(golden().members());
        assertThat(read.nodeIdOf("n2")).isEqualTo("bb");
        assertThat(read.nodeIdOf("n1")).isEqualTo("00112233445566778899aabbccddeeff");
        assertThat(read.nodeIdOf("n3")).isNull();
        assertThat(read.knows("n2", "aa")).isTrue();
        assertThat(read.knows("n2", "ffeeddccbbaa99887766554433221100")).isTrue();
        assertThat(read.knows("n1", "aa")).isFalse();
        assertThatIllegalArgumentException().isThrownBy(() -> read.succeeded("n3", "cc", 1));
        assertThatIllegalArgumentException().isThrownBy(() -> read.succeeded("n2", "aa", 1));
        assertThatIllegalArgumentException().isThrownBy(() -> read.succeeded("n2", "ffeeddcc0000", 1));
    }

    @Test
    void successionsComeTogetherInWhateverOrderTheyAreHeardOf() {
        ClusterLayout one = golden().succeeded("n2", "aa", 1000);
        ClusterLayout other = golden().succeeded("n2", "bb", 2000).succeeded("n1", "cc", 7);
        assertThat(one.merged(other).toText()).isEqualTo(other.merged(one).toText());
        assertThat(one.merged(other).nodeIdOf("n2")).isEqualTo("bb");
        assertThat(one.merged(other).nodeIdOf("n1")).isEqualTo("cc");
        assertThat(other.merged(one).merged(other).toText())
                .isEqualTo(one.merged(other).toText());
        assertThat(one.merged(golden())).isSameAs(one);
        assertThat(golden().merged(List.of(new Succession("stranger", 1, "x"))).successions())
                .isEmpty();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> one.merged(new ClusterLayout(members(2), 8, 3)))
                .withMessageContaining("is of cluster");
    }

    private static ClusterLayout joined() {
        Member third = new Member("n3", "10.0.0.3", 7803, "cc00", 1500);
        List<Member> nodes = List.of(golden().members().get(0), third);
        return succeeded().with(new ClusterLayout.Roster(7, nodes));
    }

    @Test
    void nodesJoinAndLeaveTheSameCluster() {
        String golden = """
                elastickv-layout 3
                shards=8
                replication=3
                member=n1 10.0.0.1 7801 00112233445566778899aabbccddeeff
                member=n2 ::1 7802 ffeeddccbbaa99887766554433221100
                roster=7
                node=n1 10.0.0.1 7801 00112233445566778899aabbccddeeff 0
                node=n3 10.0.0.3 7803 cc00 1500
                successor=n2 1000 aa
                successor=n2 1001 bb
                """;
        assertThat(joined().toText()).startsWith(golden);
        ClusterLayout read = ClusterLayout.ofText(joined().toText());
        assertThat(read.toText()).isEqualTo(joined().toText());
        assertThat(read.clusterId()).isEqualTo(golden().clusterId());
        assertThat(read.groups()).isEqualTo(golden().groups());
        assertThat(read.members()).extracting(Member::name).containsExactly("n1", "n3");
        assertThat(read.initialMembers()).isEqualTo(golden().members());
        assertThat(read.nodeIdOf("n3")).isEqualTo("cc00");
        assertThat(read.nodeIdOf("n2")).isNull();
        assertThat(read.knows("n2", "bb"))
                .as("a directory that left is recognised")
                .isTrue();
        everyDamageIsFound(joined().toText());
    }

    @Test
    void theLaterRosterStands() {
        ClusterLayout later = joined().with(new ClusterLayout.Roster(9, golden().members()));
        assertThat(later.members()).isEqualTo(golden().members());
        assertThat(later.with(joined().roster())).isSameAs(later);
        assertThat(joined().merged(later).members()).isEqualTo(golden().members());
        assertThat(later.merged(joined()).members()).isEqualTo(golden().members());
        assertThat(golden().with(new ClusterLayout.Roster(3, golden().members()))
                        .roster())
                .as("nothing new")
                .isNull();
    }

    @Test
    void whoComesBackUnderTheNameOfOneThatLeftIsSomebodyElse() {
        Member again = new Member("n2", "10.0.0.7", 7807, "dd00", 2000);
        ClusterLayout back = joined().with(new ClusterLayout.Roster(11, List.of(again)));
        assertThat(back.nodeIdOf("n2")).isEqualTo("dd00");
        assertThat(back.knows("n2", "bb")).isTrue();
        assertThat(back.succeeded("n2", "ee00", 5).nodeIdOf("n2")).isEqualTo("ee00");
    }

    @Test
    void keysOfReplicasAreReadAsTheyWereWritten() {
        for (ReplicaKey key :
                List.of(ReplicaKey.initial("00112233445566778899aabbccddeeff"), ReplicaKey.added("ffeeddccbbaa", 17))) {
            assertThat(ReplicaKey.parse(key.text())).isEqualTo(key);
        }
        assertThat(ReplicaKey.initial("00112233445566778899aabbccddeeff").text())
                .isEqualTo("00112233");
        assertThat(ReplicaKey.added("ffeeddccbbaa", 17).text()).isEqualTo("ffeeddcc.17");
        assertThat(ReplicaKey.parse("ffeeddcc.17").isIn("ffeeddccbbaa")).isTrue();
        assertThat(ReplicaKey.parse("ffeeddcc.17").isInitial()).isFalse();
        for (String bad : List.of("", ".", "ffeeddcc.", "ffeeddcc.x", "ffeeddccb", "a.1234567890123456789", "a b")) {
            assertThatIllegalArgumentException().isThrownBy(() -> ReplicaKey.parse(bad));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> ReplicaKey.added("ffeeddccbbaa", 0));
    }

    @Test
    void everyDamageIsFound() {
        everyDamageIsFound(golden().toText());
        everyDamageIsFound(succeeded().toText());
    }

    private static void everyDamageIsFound(String text) {
        for (int i = 0; i < text.length() - 1; i++) {
            String changed = text.substring(0, i) + (char) (text.charAt(i) ^ 1) + text.substring(i + 1);
            assertThatIllegalArgumentException().as("changed at %d", i).isThrownBy(() -> ClusterLayout.ofText(changed));
            String cut = text.substring(0, i);
            assertThatIllegalArgumentException().as("cut at %d", i).isThrownBy(() -> ClusterLayout.ofText(cut));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> ClusterLayout.ofText(text + text));
    }

    @Test
    void whateverTextComesOnlyTheStatedExceptionLeaves() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        String text = golden().toText();
        for (int i = 0; i < 50_000; i++) {
            StringBuilder changed = new StringBuilder(text);
            for (int edits = 1 + random.nextInt(4); edits > 0 && changed.length() > 0; edits--) {
                int at = random.nextInt(changed.length());
                if (random.nextBoolean()) {
                    changed.delete(at, Math.min(changed.length(), at + random.nextInt(30)));
                } else {
                    changed.insert(at, random.nextBoolean() ? "\n" : "=" + (char) random.nextInt(65_536));
                }
            }
            String damaged = changed.toString();
            if (!damaged.strip().equals(text.strip())) {
                assertThatIllegalArgumentException()
                        .as("seed %d: %s", seed, damaged)
                        .isThrownBy(() -> ClusterLayout.ofText(damaged));
            }
        }
    }
}
