package io.elastickv.samples;

import io.elastickv.api.Backups;
import io.elastickv.api.ClusterView;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.UnavailableException;
import io.elastickv.embedded.Elastickv;
import java.io.PrintStream;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The client's node, which joins the cluster when it is first needed, and where output goes. Not thread-safe. */
final class ClientSession implements AutoCloseable {

    /** How to reach the cluster. */
    record Settings(List<String> seeds, Duration timeout, String host) {}

    private final Supplier<Settings> settings;
    private final PrintStream out;
    private final PrintStream err;
    private @Nullable ElastickvNode node;

    /** With settings that are asked for when the node starts, after the command line has been read. */
    ClientSession(Supplier<Settings> settings, PrintStream out, PrintStream err) {
        this.settings = settings;
        this.out = out;
        this.err = err;
    }

    PrintStream out() {
        return out;
    }

    PrintStream err() {
        return err;
    }

    Duration timeout() {
        return settings.get().timeout();
    }

    KeyValueStore store() {
        return node().store();
    }

    Backups backups() {
        return node().backups();
    }

    /**
     * The cluster, once its layout is known.
     *
     * @throws UnavailableException if no member answered in time
     */
    ClusterView cluster() {
        ElastickvNode joined = node();
        try {
            joined.awaitReady(timeout());
        } catch (UnavailableException e) {
            if (joined.cluster().shards().isEmpty()) {
                throw e;
            }
            err.println("warning: " + CommandLines.firstLine(e));
        }
        return joined.cluster();
    }

    private ElastickvNode node() {
        ElastickvNode joined = node;
        if (joined == null) {
            Settings chosen = settings.get();
            byte[] random = new byte[4];
            new SecureRandom().nextBytes(random);
            joined = Elastickv.builder()
                    .name("client-" + HexFormat.of().formatHex(random))
                    .address(chosen.host(), 0)
                    .seeds(chosen.seeds())
                    .storageless()
                    .requestTimeout(chosen.timeout())
                    .start();
            node = joined;
        }
        return joined;
    }

    @Override
    public void close() {
        ElastickvNode joined = node;
        if (joined != null) {
            joined.close();
        }
    }
}
