package io.elastickv.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** Small file systems in memory, which only root may mount: the test is skipped for others, and says so. */
final class TmpfsMounts implements AutoCloseable {

    private final String test;
    private final List<Path> mounted = new ArrayList<>();

    TmpfsMounts(Class<?> test) {
        this.test = test.getSimpleName();
    }

    /** Mounts a new file system at {@code path}, which is made; {@code options} as of mount(8), such as {@code size=14m}. */
    void mount(Path path, String options) {
        try {
            Files.createDirectories(path);
            run("mount", "-t", "tmpfs", "-o", options, "elastickv-test", path.toString());
            mounted.add(path);
        } catch (IOException | IllegalStateException e) {
            System.out.println(
                    "SKIPPED: " + test + " needs to mount a tmpfs, which this process may not: " + e.getMessage());
            Assumptions.abort("cannot mount a tmpfs: " + e.getMessage());
        }
    }

    /** Changes the options of what is mounted at {@code path}. */
    void remount(Path path, String options) {
        run("mount", "-o", "remount," + options, path.toString());
    }

    private static void run(String... command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), UTF_8);
            if (!process.waitFor(10, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IllegalStateException(String.join(" ", command) + ": " + output.strip());
            }
        } catch (IOException e) {
            throw new IllegalStateException(String.join(" ", command) + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        for (Path path : mounted) {
            run("umount", path.toString());
        }
        mounted.clear();
    }
}
