package io.elastickv.embedded.internal.raft.log;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Runs {@link NodeLogBenchmark} by one command; {@code -Delastickv.benchmark.directory=DIR} chooses the disk. */
final class NodeLogFiguresIT {

    @Test
    @Tag("soak")
    void theLogBesideAPlainLoop() throws Exception {
        NodeLogBenchmark.main(new String[] {System.getProperty("elastickv.benchmark.directory", "target")});
    }
}
