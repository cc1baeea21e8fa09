package io.elastickv.embedded.internal.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StorageEngineTest {

    /** What runs in a JVM without the flags. */
    static final class StartCheck {
        private StartCheck() {}

        public static void main(String[] args) {
            StorageEngine.HEAP.checkStart();
            try {
                StorageEngine.OFF_HEAP.checkStart();
                System.out.println("started");
            } catch (StorageException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void startsInAJvmWithTheFlags(StorageEngine engine) {
        assertThatCode(engine::checkStart).doesNotThrowAnyException();
    }

    @Test
    void namesTheFlagsAndTheAlternativeInAJvmWithoutThem() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        StartCheck.class.getName())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(output)
                .contains(StorageEngine.requiredFlags(Runtime.version().feature()))
                .contains("StorageEngine.HEAP")
                .doesNotContain("started");
    }

    @Test
    void newerJvmsGetFlagsThatOlderOnesRefuse() {
        assertThat(StorageEngine.requiredFlags(17)).doesNotContain("--enable-native-access");
        assertThat(StorageEngine.requiredFlags(22)).contains("--enable-native-access").doesNotContain("sun-misc-unsafe");
        assertThat(StorageEngine.requiredFlags(25)).contains("--sun-misc-unsafe-memory-access=allow");
    }
}
