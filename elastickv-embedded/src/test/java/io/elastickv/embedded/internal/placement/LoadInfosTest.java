package io.elastickv.embedded.internal.placement;

import static io.elastickv.embedded.internal.placement.LoadReports.follower;
import static io.elastickv.embedded.internal.placement.LoadReports.key;
import static io.elastickv.embedded.internal.placement.LoadReports.leader;
import static io.elastickv.embedded.internal.placement.LoadReports.report;
import static io.elastickv.embedded.internal.placement.LoadReports.slot;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.elastickv.api.Bytes;
import io.elastickv.api.ClusterLoads;
import io.elastickv.api.ShardLoadInfo;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The loads as applications see them. */
final class LoadInfosTest {

    @Test
    void everyShardOfTheCatalogIsThereWithWhatIsKnownOfIt() {
        List<Member> members = new ArrayList<>();
        for (int i = 1; i <= 3; i++) {
            members.add(new Member("n" + i, "127.0.0.1", 7000 + i, "%032x".formatted(i), 0));
        }
        CatalogState catalog = CatalogState.initial(new ClusterLayout(members, 2, 3));
        LoadBook book = new LoadBook();
        book.heard(report("n1", 1, leader(0, slot(5, 300, 100, key(5, "hot", 0.9)))), 0);
        book.heard(report("n2", 1, follower(0, slot(5, 100, 100))), 0);

        ClusterLoads loads = LoadInfos.of(book, catalog, 0, Instant.EPOCH);

        assertThat(loads.shards()).extracting(ShardLoadInfo::shard).containsExactly(0, 1);
        ShardLoadInfo shard = loads.shards().get(0);
        assertThat(shard.leader()).contains("n1");
        assertThat(shard.opsPerSecond()).isEqualTo(500);
        assertThat(shard.applyShare()).isCloseTo(0.0003, within(1e-9));
        assertThat(shard.hotKeys()).hasSize(1);
        assertThat(shard.hotKeys().get(0).key()).isEqualTo(Bytes.utf8("hot"));
        assertThat(shard.hotKeys().get(0).relieved()).isFalse();
        assertThat(loads.shards().get(1).opsPerSecond()).isZero();
        assertThat(loads.nodes()).hasSize(2);
        assertThat(loads.nodes().get(0).load() + loads.nodes().get(1).load()).isCloseTo(2, within(1e-9));
        assertThat(loads.nodes().get(0).load()).isGreaterThan(1.4);
    }
}
