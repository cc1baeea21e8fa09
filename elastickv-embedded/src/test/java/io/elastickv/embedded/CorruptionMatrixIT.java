package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.corruption.Damage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** See {@link CorruptionMatrix}. {@code -Delastickv.corruption.verbose=true} prints every run. */
final class CorruptionMatrixIT {

    private static final boolean VERBOSE = Boolean.getBoolean("elastickv.corruption.verbose");

    @Test
    void damageIsRepairedRefusedOrWithoutEffect() {
        long seed = Long.getLong("elastickv.corruption.seed", System.nanoTime());
        long endNanos = System.nanoTime() + 30_000_000_000L;
        try (CorruptionMatrix matrix = new CorruptionMatrix(seed, VERBOSE)) {
            for (int run = 0; run < 60 && System.nanoTime() - endNanos < 0; run++) {
                matrix.run(run % 6 == 4 ? Damage.Kind.CUT : run % 6 == 5 ? Damage.Kind.MISSING : Damage.Kind.FLIP);
            }
            System.out.println("seed " + seed + ", outcomes:\n" + matrix.table());
            assertThat(matrix.complaints()).isEmpty();
        }
    }

    @Test
    @Tag("soak")
    void damageOfEveryRegionIsRepairedRefusedOrWithoutEffect() {
        long seed = Long.getLong("elastickv.corruption.seed", System.nanoTime());
        int rounds = Integer.getInteger("elastickv.corruption.rounds", 10);
        try (CorruptionMatrix matrix = new CorruptionMatrix(seed, VERBOSE)) {
            for (Damage.Kind kind : Damage.Kind.values()) {
                do {
                    matrix.run(kind);
                } while (matrix.rounds(kind) < rounds);
            }
            System.out.println("seed " + seed + ", outcomes:\n" + matrix.table());
            assertThat(matrix.complaints()).isEmpty();
        }
    }
}
