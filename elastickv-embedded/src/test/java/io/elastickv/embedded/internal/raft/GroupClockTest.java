package io.elastickv.embedded.internal.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class GroupClockTest {

    private final AtomicLong wall = new AtomicLong(1_000);
    private final GroupClock clock = new GroupClock(wall::get);

    @Test
    void isTheWallClockWhereTheLogIsNotAhead() {
        clock.observe(900, 0);
        assertThat(clock.millis(0)).isEqualTo(1_000);
        assertThat(clock.aheadMillis()).isZero();
    }

    @Test
    void runsOnFromTheLogsTimeWhereTheWallClockIsBehind() {
        clock.observe(5_000, 0);
        assertThat(clock.millis(0)).isEqualTo(5_000);
        assertThat(clock.millis(250_000_000)).isEqualTo(5_250);
        assertThat(clock.aheadMillis()).isEqualTo(4_250);
    }

    @Test
    void returnsToTheWallClockOnceThatHasCaughtUp() {
        clock.observe(5_000, 0);
        wall.set(6_000);
        assertThat(clock.millis(500_000_000)).isEqualTo(6_000);
        assertThat(clock.aheadMillis()).isZero();
    }
}
