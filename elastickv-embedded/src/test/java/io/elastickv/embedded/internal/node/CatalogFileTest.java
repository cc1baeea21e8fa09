package io.elastickv.embedded.internal.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.internal.placement.CatalogState;
import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Member;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CatalogFileTest {

    private static final CatalogState STATE = CatalogState.initial(
            new ClusterLayout(List.of(new Member("n1", "h", 7801, "ab"), new Member("n2", "h", 7802, "cd")), 8, 2));

    @TempDir
    private Path directory;

    private CatalogFile file(String cluster) {
        return new CatalogFile(directory, cluster);
    }

    @Test
    void whatIsSavedIsThereAfterARestart() {
        assertThat(file("c1").load()).isNull();
        file("c1").save(STATE);
        CatalogState loaded = file("c1").load();
        assertThat(loaded.records().keySet()).isEqualTo(STATE.records().keySet());
        assertThat(loaded.shards()).isEqualTo(STATE.shards());
        assertThat(loaded.nodes()).isEqualTo(STATE.nodes());
        assertThat(loaded.revision()).isEqualTo(1);
    }

    @Test
    void aCopyOfAnotherClusterOrADamagedOneDoesNotCount() throws IOException {
        file("c1").save(STATE);
        assertThat(file("c2").load()).isNull();
        Path path = directory.resolve("catalog");
        String text = Files.readString(path);
        for (int i = 0; i < text.length(); i += 7) {
            Files.writeString(path, text.substring(0, i) + (char) (text.charAt(i) ^ 1) + text.substring(i + 1));
            assertThat(file("c1").load()).as("changed at %d", i).isNull();
        }
        Files.writeString(path, text);
        assertThat(file("c1").load()).isNotNull();
    }

    @Test
    void aCopyThatCannotBeWrittenIsNoReasonToFail() throws IOException {
        Files.createDirectories(directory.resolve("catalog.tmp").resolve("in the way"));
        file("c1").save(STATE);
        assertThat(file("c1").load()).isNull();
    }
}
