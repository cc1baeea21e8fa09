package io.elastickv.samples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** An executable jar running as a process of its own, as its user starts it. Closing it kills it. */
final class JarProcess implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final Process process;
    private final Path out;
    private final Path err;

    private JarProcess(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    /** Starts the demo; its temporary files go to {@code directory}, and so does its output. */
    static JarProcess demo(Path directory, String... arguments) throws IOException {
        return start("demo.jar", directory, Files.createTempFile(directory, "no", ".input"), arguments);
    }

    /** Starts the client with a text as its standard input. */
    static JarProcess client(Path directory, String input, String... arguments) throws IOException {
        Path file = Files.writeString(Files.createTempFile(directory, "client", ".input"), input);
        return start("client.jar", directory, file, arguments);
    }

    private static JarProcess start(String jarProperty, Path directory, Path input, String... arguments)
            throws IOException {
        Path out = Files.createTempFile(directory, "process", ".out");
        Path err = Files.createTempFile(directory, "process", ".err");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.io.tmpdir=" + directory,
                "-jar",
                System.getProperty(jarProperty)));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(input.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().keySet().removeAll(List.of("ELASTICKV_PASSWORD", "JAVA_TOOL_OPTIONS"));
        return new JarProcess(builder.start(), out, err);
    }

    /** Waits for the line that says that it serves, and returns it. */
    String awaitReady() {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> out().endsWith(System.lineSeparator()) || !process.isAlive());
        assertThat(out()).as("standard output; standard error is: %s", err()).startsWith("ready redis=");
        return out().strip();
    }

    /** Waits for the end and returns the exit code. */
    int awaitExit() throws InterruptedException {
        assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .as("ended within %s; standard error is: %s", PATIENCE, err())
                .isTrue();
        return process.exitValue();
    }

    /** Asks it to end, as a service manager or Ctrl-C does, and returns how long that took. */
    Duration terminate() throws InterruptedException {
        long startNanos = System.nanoTime();
        process.destroy();
        awaitExit();
        return Duration.ofNanos(System.nanoTime() - startNanos);
    }

    /** Ends it as {@code kill -9} does, and waits until it is gone. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        awaitExit();
    }

    String out() {
        return read(out);
    }

    String err() {
        return read(err);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file, UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws InterruptedException {
        kill();
    }
}
