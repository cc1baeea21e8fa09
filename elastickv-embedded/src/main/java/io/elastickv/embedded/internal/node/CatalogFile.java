package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.CatalogDelta;
import io.elastickv.embedded.internal.placement.CatalogState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Base64;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's copy of the catalog on its disk, so that after a restart it knows the routes before it hears of anybody. Only a
 * copy: if it is missing or damaged the node starts from the cluster's formation, and hears of the rest.
 *
 * <p>File {@code catalog}, format 1: a first line {@code elastickv-catalog 1}, lines {@code cluster=} with the identity of
 * the cluster and {@code state=} with a {@link CatalogDelta} from nothing in Base64, and the checksum of
 * {@link CheckedText}.
 */
final class CatalogFile {

    private static final Logger LOG = LoggerFactory.getLogger(CatalogFile.class);
    private static final String FILE = "catalog";
    private static final String KIND = "elastickv-catalog";
    private static final int VERSION = 1;

    private final Path directory;
    private final String clusterId;

    CatalogFile(Path directory, String clusterId) {
        this.directory = directory;
        this.clusterId = clusterId;
    }

    /** What was saved last; null if nothing was, or it cannot be read. */
    @Nullable
    CatalogState load() {
        Path file = directory.resolve(FILE);
        try {
            if (!Files.exists(file)) {
                return null;
            }
            String cluster = "";
            String state = "";
            for (String line : CheckedText.read(file, KIND, VERSION, "it is only a copy")) {
                if (line.startsWith("cluster=")) {
                    cluster = line.substring("cluster=".length());
                } else if (line.startsWith("state=")) {
                    state = line.substring("state=".length());
                }
            }
            if (!cluster.equals(clusterId)) {
                throw new IllegalStateException("it is of cluster " + cluster + ", not of " + clusterId);
            }
            return CatalogState.EMPTY.apply(
                    CatalogDelta.decode(Base64.getDecoder().decode(state)));
        } catch (IOException | IllegalStateException | IllegalArgumentException e) {
            LOG.warn("file {} is ignored, the other nodes know what it should say: {}", file, e.getMessage());
            return null;
        }
    }

    /** Saves it, if that is possible: without it the next start hears what it would have said from others. */
    void save(CatalogState state) {
        byte[] bytes = state.since(CatalogState.EMPTY).encode();
        String text = KIND + " " + VERSION + "\ncluster=" + clusterId + "\nstate="
                + Base64.getEncoder().encodeToString(bytes) + "\n";
        Path temporary = directory.resolve(FILE + ".tmp");
        try {
            // Not synced: a power cut may cost the copy, and syncing it would hold up the log, which is on the same
            // disk.
            Files.writeString(temporary, CheckedText.seal(text));
            Files.move(temporary, directory.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            LOG.warn("file {} cannot be written: {}", directory.resolve(FILE), e.toString());
        }
    }
}
