package io.elastickv.benchmarks;

import io.elastickv.api.ElastickvNode;
import io.elastickv.embedded.Elastickv;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** A node in a process of its own. Ends when its standard input does. */
public final class ElasticNodeMain {

    private ElasticNodeMain() {}

    /** Runs it; arguments are {@code name=value}. */
    public static void main(String[] args) throws IOException {
        Map<String, String> settings = new HashMap<>();
        for (String arg : args) {
            int equals = arg.indexOf('=');
            settings.put(arg.substring(0, equals), arg.substring(equals + 1));
        }
        Elastickv builder = Elastickv.builder()
                .name(settings.getOrDefault("name", ""))
                .address("127.0.0.1", Integer.parseInt(settings.getOrDefault("port", "")))
                .dataDirectory(Path.of(settings.getOrDefault("directory", "")))
                .shards(Integer.parseInt(settings.getOrDefault("shards", "8")))
                .eventLoops(1)
                .replaceDeadNodesAfter(
                        Duration.ofMillis(Long.parseLong(settings.getOrDefault("replaceAfterMillis", "300000"))));
        String join = settings.get("join");
        if (join != null) {
            builder.join(join.split(","));
        } else {
            builder.seeds(settings.getOrDefault("seeds", "").split(","));
        }
        try (ElastickvNode node = builder.start()) {
            node.awaitReady(Duration.ofMinutes(2));
            System.out.println("ready");
            while (System.in.read() >= 0) {
                // Nothing is said; the end of the input is the end of the node.
            }
        }
        System.out.println("closed");
    }
}
