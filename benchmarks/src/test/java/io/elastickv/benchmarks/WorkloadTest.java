package io.elastickv.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.Bytes;
import java.util.Set;
import org.junit.jupiter.api.Test;

class WorkloadTest {

    @Test
    void keysDifferAndHaveTheirSize() {
        Bytes[] keys = Workload.keys(10_000);
        assertThat(Set.of(keys)).hasSize(10_000).allMatch(key -> key.length() == Workload.KEY_BYTES);
    }

    @Test
    void valuesFollowFromTheIndexAndHaveAnySize() {
        for (int size : new int[] {0, 1, 7, 8, 9, 100, 1000}) {
            assertThat(Workload.value(5, size).length()).isEqualTo(size);
            assertThat(Workload.value(5, size)).isEqualTo(Workload.value(5, size));
        }
        assertThat(Workload.value(5, 100)).isNotEqualTo(Workload.value(6, 100));
    }
}
