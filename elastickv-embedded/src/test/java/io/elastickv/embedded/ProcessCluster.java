package io.elastickv.embedded;

import io.elastickv.api.ElastickvNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Members in processes of their own, which can be killed, and a storage-less node in this one. */
final class ProcessCluster implements AutoCloseable {

    private final Path directory;
    private final List<Integer> ports = FreePorts.choose(3);
    private final @Nullable Process[] processes = new Process[3];
    private final List<CompletableFuture<Void>> ready =
            new ArrayList<>(List.of(new CompletableFuture<>(), new CompletableFuture<>(), new CompletableFuture<>()));
    private final ElastickvNode client;

    ProcessCluster(Path directory) {
        this.directory = directory;
        for (int i = 0; i < 3; i++) {
            start(i);
        }
        this.client =
                Elastickv.builder().name("client").storageless().seeds(seeds()).start();
        try {
            awaitReady();
            client.awaitReady(Duration.ofSeconds(30));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    ElastickvNode client() {
        return client;
    }

    private List<String> seeds() {
        return ports.stream().map(port -> "127.0.0.1:" + port).toList();
    }

    /** Starts member {@code i}, on the data it has. */
    void start(int i) {
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx192m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                ProcessNode.class.getName(),
                "p" + i,
                "" + ports.get(i),
                String.join(",", seeds()),
                directory.resolve("p" + i).toString());
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            processes[i] = process;
            CompletableFuture<Void> said = new CompletableFuture<>();
            ready.set(i, said);
            Thread reader = new Thread(() -> listen(process, said), "output-of-p" + i);
            reader.setDaemon(true);
            reader.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void listen(Process process, CompletableFuture<Void> said) {
        StringBuilder output = new StringBuilder();
        try (BufferedReader lines = process.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.equals("ready")) {
                    said.complete(null);
                } else if (output.length() < 20_000) {
                    output.append(line).append('\n');
                }
            }
        } catch (IOException e) {
            // The process was killed.
        }
        said.completeExceptionally(new IllegalStateException("the process ended before it was ready:\n" + output));
    }

    /** Waits until all members that were started serve. */
    void awaitReady() {
        for (CompletableFuture<Void> said : ready) {
            said.orTimeout(60, TimeUnit.SECONDS).join();
        }
    }

    /** Kills members with SIGKILL, at once. */
    void kill(int... members) {
        for (int i : members) {
            Process process = processes[i];
            if (process != null) {
                process.destroyForcibly(); // SIGKILL on every Unix
            }
        }
        for (int i : members) {
            Process process = processes[i];
            if (process != null) {
                process.onExit().orTimeout(10, TimeUnit.SECONDS).join();
                processes[i] = null;
            }
        }
    }

    @Override
    public void close() {
        client.close();
        kill(0, 1, 2);
    }
}
