package io.elastickv.embedded.internal.shard;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The bounds of the paper, fading, and sampling. */
final class SpaceSavingTest {

    private final SpaceSaving sketch = new SpaceSaving();

    private void offer(String key, int times) {
        for (int i = 0; i < times; i++) {
            sketch.offer(key.getBytes(UTF_8));
        }
    }

    @Test
    void everyKeyWithMoreThanACounterFullIsFoundAndNeverOverestimated() {
        for (int seed = 0; seed < 50; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            SpaceSaving any = new SpaceSaving();
            Map<String, Integer> truth = new HashMap<>();
            int total = 10_000;
            for (int i = 0; i < total; i++) {
                // Zipf-like: key number n with a probability of about 1/n.
                String key = "k" + (int) Math.exp(random.nextDouble() * Math.log(5_000));
                truth.merge(key, 1, Integer::sum);
                any.offer(key.getBytes(UTF_8));
            }
            Map<String, Double> found = new HashMap<>();
            any.top().forEach(share -> found.put(new String(share.key(), UTF_8), share.share()));
            int at = seed;
            truth.forEach((key, count) -> {
                double share = count / (double) total;
                if (share > 0.05 + 1.0 / 32) {
                    assertThat(found).as("seed %d", at).containsKey(key);
                }
                if (found.containsKey(key)) {
                    assertThat(found.get(key)).as("seed %d, %s", at, key).isLessThanOrEqualTo(share + 1e-9);
                }
            });
        }
    }

    @Test
    void ofAFewElementsNothingIsSaid() {
        offer("a", 19);
        assertThat(sketch.top()).isEmpty();
        offer("a", 1);
        assertThat(sketch.top()).hasSize(1);
    }

    @Test
    void whatWasFrequentOnceFades() {
        offer("old", 1000);
        for (int second = 0; second < 10; second++) {
            sketch.fade(Math.exp(-1 / 3.0));
            offer("new", 100);
        }
        List<SpaceSaving.Share> top = sketch.top();
        assertThat(new String(top.get(0).key(), UTF_8)).isEqualTo("new");
        assertThat(top.get(0).share()).isGreaterThan(0.85);
    }

    @Test
    void aFastStreamIsSampled() {
        sketch.expect(100_000);
        for (int i = 0; i < 200_000; i++) {
            offer(i % 10 < 8 ? "hot" : "k" + i, 1);
        }
        assertThat(sketch.top().get(0).share()).isCloseTo(0.8, offset(0.05));
    }
}
