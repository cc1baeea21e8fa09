package io.elastickv.embedded;

import io.elastickv.embedded.history.HistoryLines;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** One {@link ProcessNode} from its start to its end. Thread-safe. */
final class ProcessMember {

    /** What lines begin with that say how long something took. */
    static final String TIMING = "timing: ";

    private static final int MOST_OUTPUT = 40_000;

    private final String name;
    private final Process process;
    private final HistoryLines history;
    private final long startedNanos = System.nanoTime();
    private final CompletableFuture<Long> serving = new CompletableFuture<>();
    private final StringBuilder output = new StringBuilder();
    private final Thread reader;
    private volatile CompletableFuture<Void> loadStopped = CompletableFuture.completedFuture(null);

    /**
     * Starts the process.
     *
     * @param history gets what the member's load does
     */
    ProcessMember(String name, String heap, Map<String, String> settings, HistoryLines history) {
        this.name = name;
        this.history = history;
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + heap,
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC"));
        for (String argument : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            // What the off-heap store needs: as this process got it.
            if (argument.startsWith("--add-") || argument.startsWith("--sun-") || argument.startsWith("--enable-")) {
                command.add(argument);
            }
        }
        command.add("-cp");
        command.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        command.add(ProcessNode.class.getName());
        command.add("name=" + name);
        settings.forEach((key, value) -> command.add(key + "=" + value));
        try {
            this.process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        this.reader = new Thread(this::listen, "output-of-" + name);
        reader.setDaemon(true);
        reader.start();
    }

    private void listen() {
        String source = name + "@" + process.pid();
        try (BufferedReader lines = process.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (HistoryLines.isHistory(line)) {
                    history.read(source, line);
                } else if (line.equals("serving")) {
                    serving.complete(System.nanoTime());
                } else if (line.equals("stopped")) {
                    loadStopped.complete(null);
                } else {
                    synchronized (output) {
                        if (output.length() < MOST_OUTPUT) {
                            output.append(line).append('\n');
                        }
                    }
                    if (line.startsWith("does not serve")) {
                        serving.completeExceptionally(new IllegalStateException(name + " " + line));
                    }
                }
            }
        } catch (IOException e) {
            // The process was killed.
        }
        IllegalStateException end = new IllegalStateException("process " + name + " has ended:\n" + output());
        serving.completeExceptionally(end);
        loadStopped.completeExceptionally(end);
    }

    /** What it said, except for histories. */
    String output() {
        synchronized (output) {
            return output.toString();
        }
    }

    /** What it said of how long its start took. */
    String timings() {
        return output().lines()
                .filter(line -> line.startsWith(TIMING) || line.contains("recovered "))
                .map(line -> line.substring(line.contains(" - ") ? line.indexOf(" - ") + 3 : TIMING.length()))
                .collect(Collectors.joining("; "));
    }

    /** Waits until it has written and read a key of every shard; how long that took from the start of the process, in ns. */
    long awaitServing() {
        return serving.copy().orTimeout(180, TimeUnit.SECONDS).join() - startedNanos;
    }

    /** Waits until the process has ended by itself; its exit code. */
    int awaitExit() {
        int code = process.onExit().orTimeout(60, TimeUnit.SECONDS).join().exitValue();
        awaitReader();
        return code;
    }

    /** Begins a load of registers through this member; see {@link ProcessNode}. */
    void startLoad(String writer, String keyPrefix, long seed, int clients, int keys) {
        say("load " + writer + " " + keyPrefix + " " + seed + " " + clients + " " + keys);
    }

    /** Ends the load; the future completes when the last operation has been told, or exceptionally if the process ends. */
    CompletableFuture<Void> stopLoad() {
        CompletableFuture<Void> stopped = new CompletableFuture<>();
        loadStopped = stopped;
        if (!process.isAlive()) {
            stopped.completeExceptionally(new IllegalStateException("process " + name + " has ended"));
        } else {
            say("stop");
        }
        return stopped;
    }

    private void say(String line) {
        try {
            BufferedWriter in = process.outputWriter();
            synchronized (in) {
                in.write(line + "\n");
                in.flush();
            }
        } catch (IOException e) {
            loadStopped.completeExceptionally(e); // it was killed meanwhile
        }
    }

    /** SIGSTOP. */
    void pause() {
        signal("-STOP");
    }

    /** SIGCONT. */
    void resume() {
        signal("-CONT");
    }

    private void signal(String signal) {
        try {
            Process kill = new ProcessBuilder("kill", signal, "" + process.pid()).start();
            if (!kill.waitFor(10, TimeUnit.SECONDS) || kill.exitValue() != 0) {
                throw new IllegalStateException("kill " + signal + " failed");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** SIGKILL, without waiting. */
    void kill() {
        process.destroyForcibly();
    }

    /** Waits until the process is gone and all that it said has been read. */
    void awaitEnd() {
        process.onExit().orTimeout(30, TimeUnit.SECONDS).join();
        awaitReader();
    }

    private void awaitReader() {
        try {
            reader.join(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
