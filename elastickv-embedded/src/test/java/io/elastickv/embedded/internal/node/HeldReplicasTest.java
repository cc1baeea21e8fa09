package io.elastickv.embedded.internal.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.Catalog;
import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Member;
import io.elastickv.embedded.internal.placement.ReplicaKey;
import io.elastickv.embedded.internal.raft.core.Configuration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HeldReplicasTest {

    private static final ClusterLayout LAYOUT = new ClusterLayout(
            List.of(
                    new Member("n1", "h", 1, "11111111aa"),
                    new Member("n2", "h", 2, "22222222aa"),
                    new Member("n3", "h", 3, "33333333aa"),
                    new Member("n4", "h", 4, "44444444aa")),
            4,
            3);

    private static final ShardBirth SPLIT_OFF =
            new ShardBirth(17, 3, 2, List.of(new SlotRange(14000, 16383)), Configuration.of(List.of("n1@11111111")));

    private static HeldReplicas start() {
        return HeldReplicas.atTheStart(LAYOUT, "n1", "11111111aa");
    }

    private static List<String> lines(String text) {
        List<String> lines = new ArrayList<>(text.lines().toList());
        return lines.subList(1, lines.size() - 1);
    }

    @Test
    void theTextStays() {
        HeldReplicas changed = start().without(2, 6)
                .with(1, ReplicaKey.added("11111111aa", 9))
                .with(SPLIT_OFF, ReplicaKey.initial("11111111aa"));
        assertThat(changed.toText()).isEqualTo(CheckedText.seal("""
                        elastickv-replicas 2
                        cluster=%s
                        node=11111111aa
                        replica=0 11111111
                        replica=1 11111111.9
                        replica=3 11111111
                        replica=17 11111111
                        replica=1073741824 11111111
                        birth=17 3 2 14000-16383 0100000000000000000001000b6e314031313131313131310000
                        removed=2 6
                        """.formatted(LAYOUT.clusterIdText())));
        assertThat(HeldReplicas.ofLines(lines(changed.toText()))).isEqualTo(changed);
        assertThat(changed.without(17, 1).births()).isEmpty();
    }

    @Test
    void aFileOfTheFormatBeforeIsRead() {
        List<String> lines = List.of("cluster=c", "node=11111111aa", "replica=0 11111111", "removed=2 6");
        HeldReplicas read = HeldReplicas.ofLines(lines);
        assertThat(read.held()).containsExactly(Map.entry(0, ReplicaKey.initial("11111111aa")));
        assertThat(read.births()).isEmpty();
    }

    @Test
    void theFirstDirectoryHoldsWhatTheLayoutSaysAndALaterOneNothing() {
        assertThat(start().held().keySet()).containsExactly(0, 2, 3, Catalog.GROUP);
        assertThat(start().key(2)).isEqualTo(ReplicaKey.initial("11111111aa"));
        assertThat(start().key(1)).isNull();
        assertThat(HeldReplicas.atTheStart(LAYOUT.succeeded("n1", "55555555aa", 1), "n1", "55555555aa")
                        .held())
                .isEmpty();
    }

    @Test
    void whatWasRemovedNeverComesBack() {
        HeldReplicas removed = start().without(2, 6);
        assertThat(removed.key(2)).isNull();
        assertThat(removed.wasRemoved(2, ReplicaKey.initial("11111111aa"))).isTrue();
        assertThat(removed.wasRemoved(2, ReplicaKey.added("11111111aa", 6))).isTrue();
        assertThat(removed.wasRemoved(2, ReplicaKey.added("11111111aa", 7))).isFalse();
        assertThat(removed.wasRemoved(3, ReplicaKey.initial("11111111aa"))).isFalse();
        assertThatIllegalArgumentException().isThrownBy(() -> removed.with(2, ReplicaKey.added("11111111aa", 6)));
        HeldReplicas again = removed.with(2, ReplicaKey.added("11111111aa", 7));
        assertThatIllegalArgumentException().isThrownBy(() -> again.with(2, ReplicaKey.added("11111111aa", 8)));
        assertThat(again.without(2, 3).wasRemoved(2, ReplicaKey.added("11111111aa", 7)))
                .as("at least up to the one that was there")
                .isTrue();
    }

    @Test
    void linesThatMakeNoSenseAreRefused() {
        for (String line : List.of(
                "replica=1",
                "replica=x 11111111",
                "replica=1 a b",
                "removed=1 x",
                "birth=1 2 3 4-5 zz",
                "shard=1",
                "")) {
            assertThatIllegalArgumentException().isThrownBy(() -> HeldReplicas.ofLines(List.of(line)));
        }
    }
}
