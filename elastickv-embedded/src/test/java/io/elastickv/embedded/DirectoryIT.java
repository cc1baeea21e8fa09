package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Directories that cannot be used as they are: refused at the start, with the path and what to do; usable again afterwards. */
final class DirectoryIT {

    private static final Bytes KEY = Bytes.utf8("k");

    @TempDir
    private Path parent;

    private final TmpfsMounts mounts = new TmpfsMounts(DirectoryIT.class);
    private Path directory;
    private Elastickv builder;

    @BeforeEach
    void prepare() {
        directory = parent.resolve("data");
        builder = Elastickv.builder()
                .name("n")
                .address("127.0.0.1", FreePorts.choose())
                .storage(StorageEngine.HEAP)
                .shards(2)
                .dataDirectory(directory);
    }

    @AfterEach
    void unmount() {
        mounts.close();
    }

    private void write() {
        try (ElastickvNode node = builder.start()) {
            node.store().put(KEY, Bytes.utf8("v"));
        }
    }

    private void assertRefused(Path named, String... words) {
        assertThatThrownBy(builder::start)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(named.toString())
                .satisfies(e -> assertThat(List.of(words))
                        .as("words in: " + e.getMessage())
                        .allMatch(e.getMessage().toLowerCase(Locale.ROOT)::contains));
    }

    private void assertServesWhatItHad() {
        try (ElastickvNode node = builder.start()) {
            node.awaitReady(Duration.ofSeconds(10));
            assertThat(node.store().get(KEY)).isPresent();
            node.store().put(Bytes.utf8("after"), Bytes.utf8("v"));
        }
    }

    @Test
    void aReadOnlyFileSystemIsRefusedAtTheStart() {
        mounts.mount(directory, "size=200m");
        write();
        mounts.remount(directory, "ro");
        assertRefused(directory, "read-only", "write");
        mounts.remount(directory, "rw");
        assertServesWhatItHad();
    }

    @Test
    void anEmptyReadOnlyFileSystemIsRefusedAtTheStart() {
        mounts.mount(directory, "size=200m,ro");
        assertRefused(directory, "read-only", "write");
    }

    @Test
    void aFileInPlaceOfTheDirectoryIsRefused() throws IOException {
        Files.createFile(directory);
        assertRefused(directory, "must be a directory that this process can write to");
    }

    @Test
    void aFileInPlaceOfTheLogsDirectoryIsRefused() throws IOException {
        write();
        Path wal = directory.resolve("wal");
        Path aside = parent.resolve("aside");
        Files.move(wal, aside);
        Files.createFile(wal);
        assertRefused(wal);
        Files.delete(wal);
        Files.move(aside, wal);
        assertServesWhatItHad();
    }

    @Test
    void aDirectoryInPlaceOfAFileIsRefused() throws IOException {
        write();
        for (String name : List.of("lock", "node", "layout")) {
            Path file = directory.resolve(name);
            Path aside = parent.resolve("aside");
            Files.move(file, aside);
            Files.createDirectories(file.resolve("inside"));
            assertRefused(directory);
            Files.delete(file.resolve("inside"));
            Files.delete(file);
            Files.move(aside, file);
        }
        assertServesWhatItHad();
    }

    /** Root may write everything, so this says something for other users only. */
    @Test
    void filesThatMayNotBeWrittenAreRefused() throws IOException {
        write();
        Path probe = Files.createFile(parent.resolve("probe"));
        Files.setPosixFilePermissions(probe, PosixFilePermissions.fromString("r--r--r--"));
        Assumptions.assumeFalse(Files.isWritable(probe), "this user may write everything");
        List<Path> files;
        try (Stream<Path> all = Files.walk(directory)) {
            files = all.filter(Files::isRegularFile)
                    .filter(file -> file.startsWith(directory.resolve("wal")) || file.endsWith("lock"))
                    .toList();
        }
        for (Path file : files) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r--r--"));
            assertRefused(directory, "write");
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        }
        assertServesWhatItHad();
    }
}
