package io.elastickv.embedded;

import io.elastickv.api.ElastickvNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;

/**
 * A node in a process of its own, for tests that kill it: {@code NAME PORT SEEDS DIRECTORY}. Says {@code ready} when it serves,
 * and ends in good order when its standard input does.
 */
public final class ProcessNode {

    private ProcessNode() {}

    /** Runs the node. */
    public static void main(String[] args) throws IOException {
        try (ElastickvNode node = Elastickv.builder()
                .name(args[0])
                .address("127.0.0.1", Integer.parseInt(args[1]))
                .seeds(Arrays.asList(args[2].split(",")))
                .dataDirectory(Path.of(args[3]))
                .storage(StorageEngine.HEAP)
                .shards(4)
                .start()) {
            node.awaitReady(Duration.ofSeconds(60));
            System.out.println("ready");
            while (System.in.read() >= 0) {
                // Until the end of the input, which comes at the latest with the end of the test.
            }
        }
    }
}
