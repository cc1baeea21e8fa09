package io.elastickv.embedded.internal.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.internal.placement.CatalogState;
import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Member;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CatalogMirrorTest {

    private static final CatalogState FIRST =
            CatalogState.initial(new ClusterLayout(List.of(new Member("n1", "h", 7801, "ab")), 4, 1));

    private final List<Runnable> notifying = new ArrayList<>();
    private final List<String> told = new ArrayList<>();
    private final CatalogMirror mirror = new CatalogMirror("n1", (node, request, callback) -> {}, notifying::add);

    private void runAll() {
        List.copyOf(notifying).forEach(Runnable::run);
        notifying.clear();
    }

    @Test
    void aListenerThatComesLateHearsWhatIsKnown() {
        assertThat(mirror.adopt(FIRST)).isTrue();
        runAll();
        mirror.onChange((before, after) -> told.add(before.revision() + " to " + after.revision()));
        runAll();
        assertThat(told).containsExactly("0 to 1");
    }

    @Test
    void aRevisionIsToldOnce() {
        mirror.onChange((before, after) -> told.add(before.revision() + " to " + after.revision()));
        runAll();
        assertThat(told).as("nothing is known").isEmpty();
        assertThat(mirror.adopt(FIRST)).isTrue();
        assertThat(mirror.adopt(FIRST)).isFalse();
        runAll();
        assertThat(told).containsExactly("0 to 1");
    }
}
