package io.elastickv.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ResourcesTest {

    private final List<String> closed = new ArrayList<>();
    private final Resources resources = new Resources();

    private AutoCloseable resource(String name) {
        return () -> closed.add(name);
    }

    @Test
    void closesLastInFirstOutAndOnce() {
        resources.add(resource("a"));
        resources.add(resource("b"));
        resources.close();
        resources.close();
        assertThat(closed).containsExactly("b", "a");
    }

    @Test
    void goesOnAfterOneThatFails() {
        resources.add(resource("a"));
        resources.add(() -> {
            throw new IllegalStateException("on purpose");
        });
        resources.close();
        assertThat(closed).containsExactly("a");
    }

    @Test
    void closesWhatComesTooLate() {
        resources.close();
        assertThatThrownBy(() -> resources.add(resource("late"))).isInstanceOf(IllegalStateException.class);
        assertThat(closed).containsExactly("late");
    }

    @Test
    void temporaryDirectoryGoesWithItsContents() throws Exception {
        TemporaryDirectory directory = TemporaryDirectory.create("elastickv-test-");
        Files.writeString(
                Files.createDirectories(directory.path().resolve("a/b")).resolve("file"), "text");
        directory.close();
        assertThat(directory.path()).doesNotExist();
        directory.close();
    }
}
