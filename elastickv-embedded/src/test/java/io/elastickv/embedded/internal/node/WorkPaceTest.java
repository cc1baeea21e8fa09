package io.elastickv.embedded.internal.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WorkPaceTest {

    private static final long MILLI = 1_000_000;

    private long now = 17;
    private final List<Long> slept = new ArrayList<>();
    private final WorkPace pace = new WorkPace(() -> now, nanos -> {
        slept.add(nanos);
        now += nanos;
    });

    @Test
    void aStretchOfWorkIsFollowedByAPauseInProportion() {
        Runnable step = pace.begin();
        pace.setPauses(3);
        for (int i = 0; i < 4; i++) {
            now += MILLI / 2;
            step.run();
        }
        assertThat(slept).containsExactly(3 * MILLI, 3 * MILLI);
        now += 5 * MILLI; // a piece that took long
        step.run();
        assertThat(slept).endsWith(15 * MILLI);
    }

    @Test
    void theFurtherBehindTheShorterThePauses() {
        assertThat(CheckpointPolicy.pauses(0)).isEqualTo(3);
        assertThat(CheckpointPolicy.pauses(1.9)).isEqualTo(3);
        assertThat(CheckpointPolicy.pauses(2)).isEqualTo(1);
        assertThat(CheckpointPolicy.pauses(3)).isZero();
        assertThat(CheckpointPolicy.pauses(Double.MAX_VALUE)).isZero();
    }

    @Test
    void inAHurryThereAreNoPauses() {
        pace.setPauses(3);
        Runnable step = pace.begin();
        pace.setPauses(0);
        now += 100 * MILLI;
        step.run();
        assertThat(slept).isEmpty();
    }
}
