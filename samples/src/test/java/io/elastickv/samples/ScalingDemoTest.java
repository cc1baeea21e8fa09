package io.elastickv.samples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class ScalingDemoTest {

    @Test
    void thereAreAsManyNodesAsTheLoadNeedsWithinBounds() {
        assertThat(ScalingDemo.wantedNodes(0, 100, 3)).isEqualTo(3);
        assertThat(ScalingDemo.wantedNodes(300, 100, 3)).isEqualTo(3);
        assertThat(ScalingDemo.wantedNodes(301, 100, 3)).isEqualTo(4);
        assertThat(ScalingDemo.wantedNodes(5_000, 100, 3)).isEqualTo(6);
    }

    @Test
    void aNodeGoesOnlyIfTheOthersKeepSomeAir() {
        assertThat(ScalingDemo.wantedNodes(399, 100, 5)).isEqualTo(5);
        assertThat(ScalingDemo.wantedNodes(339, 100, 5)).isEqualTo(4);
    }
}
