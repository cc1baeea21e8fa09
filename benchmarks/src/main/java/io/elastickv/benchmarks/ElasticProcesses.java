package io.elastickv.benchmarks;

import io.elastickv.api.ElastickvNode;
import io.elastickv.embedded.Elastickv;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** Nodes in processes of their own, and a node without storage in this one. Not thread-safe. */
final class ElasticProcesses implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int FIRST_PORT = 10_000;
    private static final int LAST_PORT = 32_000;
    private static final int MAX_OUTPUT = 20_000;

    private final Path directory;
    private final Map<String, String> settings;
    private final List<String> initial = new ArrayList<>();
    private final Map<String, Member> running = new LinkedHashMap<>();
    private final ElastickvNode client;
    private int named;

    private static final class Member {
        final Process process;
        final CompletableFuture<Void> ready = new CompletableFuture<>();
        final StringBuilder output = new StringBuilder();

        Member(Process process) {
            this.process = process;
        }

        void listen() {
            try (BufferedReader lines = process.inputReader()) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (line.equals("ready")) {
                        ready.complete(null);
                    }
                    synchronized (output) {
                        if (output.length() < MAX_OUTPUT) {
                            output.append(line).append('\n');
                        }
                    }
                }
            } catch (IOException e) {
                // It was killed.
            }
            synchronized (output) {
                ready.completeExceptionally(new IllegalStateException("a node has ended:\n" + output));
            }
        }
    }

    /** Starts a cluster of {@code count} initial members and waits until it serves. */
    ElasticProcesses(Path directory, int count, Map<String, String> settings) {
        this.directory = directory;
        this.settings = settings;
        List<Integer> ports = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ports.add(freePort());
            initial.add("127.0.0.1:" + ports.get(i));
        }
        for (int port : ports) {
            launch(port, "seeds");
        }
        this.client = Elastickv.builder()
                .name("client")
                .storageless()
                .seeds(initial)
                .eventLoops(1)
                .requestTimeout(Duration.ofSeconds(10))
                .start();
        running.values()
                .forEach(member -> member.ready
                        .orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                        .join());
        client.awaitReady(PATIENCE);
    }

    /** Starts another node, which joins, and waits until it is a member; its name. */
    String add() {
        String name = launch(freePort(), "join");
        Member member = running.get(name);
        if (member != null) {
            member.ready.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
        }
        return name;
    }

    private String launch(int port, String way) {
        String name = "n" + ++named;
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xmx256m");
        command.add("-XX:+UseSerialGC");
        for (String option : List.of("java.base/java.lang.reflect", "java.base/java.lang")) {
            command.add("--add-opens=" + option + "=ALL-UNNAMED");
        }
        for (String option : List.of("jdk.compiler/com.sun.tools.javac.file", "java.base/sun.nio.ch")) {
            command.add("--add-exports=" + option + "=ALL-UNNAMED");
        }
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(ElasticNodeMain.class.getName());
        command.add("name=" + name);
        command.add("port=" + port);
        command.add("directory=" + directory.resolve(name));
        command.add(way + "=" + String.join(",", initial));
        settings.forEach((key, value) -> command.add(key + "=" + value));
        try {
            Member member = new Member(
                    new ProcessBuilder(command).redirectErrorStream(true).start());
            Thread reader = new Thread(member::listen, "output-of-" + name);
            reader.setDaemon(true);
            reader.start();
            running.put(name, member);
            return name;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The node in this process. */
    ElastickvNode client() {
        return client;
    }

    /** The nodes that run, by name, in the order of their starts. */
    List<String> running() {
        return List.copyOf(running.keySet());
    }

    /** Ends a node in good order. */
    void close(String name) {
        Member member = running.remove(name);
        if (member != null) {
            try {
                member.process.outputWriter().close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            member.process.onExit().orTimeout(60, TimeUnit.SECONDS).join();
        }
    }

    /** Ends a node with SIGKILL, for good. */
    void kill(String name) {
        Member member = running.remove(name);
        if (member != null) {
            member.process.destroyForcibly();
            member.process.onExit().orTimeout(60, TimeUnit.SECONDS).join();
        }
    }

    /** A free port below those that the system gives to outgoing connections. */
    private static int freePort() {
        for (int attempt = 0; attempt < 1000; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(FIRST_PORT, LAST_PORT);
            try (ServerSocket held = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return held.getLocalPort();
            } catch (IOException e) {
                // Taken; another one.
            }
        }
        throw new IllegalStateException("no free port between " + FIRST_PORT + " and " + LAST_PORT);
    }

    @Override
    public void close() {
        client.close();
        for (String name : running()) {
            kill(name);
        }
    }
}
