package io.elastickv.embedded;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.ShardInfo;
import io.elastickv.embedded.history.HistoryLines;
import io.elastickv.embedded.history.HistoryRecorder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * A node in a process of its own, for tests that kill it. Arguments are {@code name=value}: {@code name}, {@code port}, {@code
 * seeds} or {@code join}, {@code directory}, {@code replaceAfterMillis}, {@code shards}, {@code storage}, {@code durability}; {@code checkpointBytes} makes checkpoints and
 * the log's files small, so that there are many of them.
 *
 * <p>Says {@code serving} when it has written and read a key of every shard; begins a {@link RegisterLoad} through itself on
 * {@code load WRITER PREFIX SEED CLIENTS KEYS}, of which it tells every operation as {@link HistoryLines} do, and ends it on
 * {@code stop}, which it answers with {@code stopped}. Ends in good order when its standard input does, and with a message and exit code 3 if it cannot start.
 */
public final class ProcessNode {

    private static final Duration LOAD_TIMEOUT = Duration.ofMillis(1_500);

    private final ElastickvNode node;
    private @Nullable RegisterLoad load;

    private ProcessNode(ElastickvNode node) {
        this.node = node;
    }

    /** Runs the node. */
    public static void main(String[] args) throws IOException {
        Map<String, String> settings = new HashMap<>();
        for (String arg : args) {
            int equals = arg.indexOf('=');
            settings.put(arg.substring(0, equals), arg.substring(equals + 1));
        }
        // How much of the state was read, and how long that took.
        ((Logger) LoggerFactory.getLogger("io.elastickv.embedded.internal.node.ShardFactory")).setLevel(Level.INFO);
        long beganNanos = System.nanoTime();
        ElastickvNode started;
        try {
            started = builder(settings).start();
        } catch (RuntimeException e) {
            System.out.println("refused: " + e.getMessage());
            System.exit(3);
            return;
        }
        System.out.println(ProcessMember.TIMING + "start() returned after " + millisSince(beganNanos) + " ms in main");
        try (ElastickvNode node = started) {
            ProcessNode process = new ProcessNode(node);
            Thread waiting = new Thread(() -> process.awaitServing(beganNanos), "await-serving");
            waiting.setDaemon(true);
            waiting.start();
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            // Until the end of the input, which comes at the latest with the end of the test.
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                process.obey(line.split(" "));
            }
            process.stopLoad();
        }
    }

    private static Elastickv builder(Map<String, String> settings) {
        Elastickv builder = Elastickv.builder();
        if (settings.containsKey("checkpointBytes")) {
            builder.checkpoints(Long.parseLong(settings.get("checkpointBytes")), 8L << 20)
                    .segmentBytes(1 << 20);
        }
        if (settings.containsKey("join")) {
            builder.join(settings.get("join").split(","));
        } else {
            builder.seeds(settings.get("seeds").split(","));
        }
        if (settings.containsKey("replaceAfterMillis")) {
            builder.replaceDeadNodesAfter(Duration.ofMillis(Long.parseLong(settings.get("replaceAfterMillis"))));
        }
        return builder.name(settings.get("name"))
                .address("127.0.0.1", Integer.parseInt(settings.get("port")))
                .dataDirectory(Path.of(settings.get("directory")))
                .storage(StorageEngine.valueOf(settings.getOrDefault("storage", "HEAP")))
                .durability(Durability.valueOf(settings.getOrDefault("durability", "FSYNC")))
                .electionTimeout(Duration.ofMillis(Long.parseLong(settings.getOrDefault("electionMillis", "1000"))))
                .shards(Integer.parseInt(settings.getOrDefault("shards", "4")));
    }

    private static long millisSince(long nanos) {
        return (System.nanoTime() - nanos) / 1_000_000;
    }

    /** A key of each shard: none may be left out of "serves". */
    private void awaitServing(long beganNanos) {
        try {
            node.awaitReady(Duration.ofMinutes(2));
            System.out.println(
                    ProcessMember.TIMING + "all shards had leaders after " + millisSince(beganNanos) + " ms");
            List<CompletableFuture<?>> ends = new ArrayList<>();
            for (ShardInfo shard : node.cluster().shards()) {
                Bytes key = keyOf(shard);
                ends.add(node.store()
                        .withTimeout(Duration.ofSeconds(60))
                        .async()
                        .put(key, key)
                        .thenCompose(version -> node.store()
                                .withTimeout(Duration.ofSeconds(60))
                                .async()
                                .get(key))
                        .thenAccept(value -> {
                            if (value.isEmpty()) {
                                throw new IllegalStateException("what was written is not there");
                            }
                        }));
            }
            CompletableFuture.allOf(ends.toArray(new CompletableFuture<?>[0]))
                    .orTimeout(60, TimeUnit.SECONDS)
                    .join();
            System.out.println("serving");
        } catch (RuntimeException e) {
            System.out.println("does not serve: " + e.getMessage());
        }
    }

    private Bytes keyOf(ShardInfo shard) {
        for (int i = 0; ; i++) {
            Bytes key = Bytes.utf8("serving-" + i);
            if (node.cluster().explain(key).shard() == shard.id()) {
                return key;
            }
        }
    }

    private void obey(String[] words) {
        switch (words[0]) {
            case "load" -> {
                stopLoad();
                HistoryRecorder recorder = new HistoryRecorder(HistoryLines.writer(System.out::println));
                load = new RegisterLoad(
                        () -> List.of(node),
                        Long.parseLong(words[3]),
                        Integer.parseInt(words[4]),
                        Integer.parseInt(words[5]),
                        LOAD_TIMEOUT,
                        words[1],
                        words[2],
                        recorder);
            }
            case "stop" -> {
                stopLoad();
                System.out.println("stopped");
            }
            default -> System.out.println("unknown command: " + words[0]);
        }
    }

    private void stopLoad() {
        RegisterLoad running = load;
        load = null;
        if (running != null) {
            try {
                running.stop();
            } catch (AssertionError e) {
                System.out.println("wrong: " + e.getMessage() + ": " + e.getCause());
            }
        }
    }
}
