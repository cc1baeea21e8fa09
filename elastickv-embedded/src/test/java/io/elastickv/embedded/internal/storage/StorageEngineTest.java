package io.elastickv.embedded.internal.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
        assertThat(startCheckInAJvmWith())
                .contains(StorageEngine.requiredFlags(Runtime.version().feature()))
                .contains("StorageEngine.HEAP")
                .doesNotContain("started");
    }

    /** Chronicle would compile a class; without access to the compiler it can only start with the one we bring. */
    @Test
    void needsNoCompiler() throws Exception {
        assertThat(startCheckInAJvmWith(
                        "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
                        "--add-opens=java.base/java.lang=ALL-UNNAMED"))
                .contains("started");
    }

    private static String startCheckInAJvmWith(String... flags) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xmx64m");
        command.addAll(List.of(flags));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), StartCheck.class.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return output;
    }

    @Test
    void newerJvmsGetFlagsThatOlderOnesRefuse() {
        assertThat(StorageEngine.requiredFlags(17)).doesNotContain("--enable-native-access");
        assertThat(StorageEngine.requiredFlags(22))
                .contains("--enable-native-access")
                .doesNotContain("sun-misc-unsafe");
        assertThat(StorageEngine.requiredFlags(25)).contains("--sun-misc-unsafe-memory-access=allow");
    }
}
