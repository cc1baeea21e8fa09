package io.elastickv.embedded.internal.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Member;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeDirectoryTest {

    @TempDir
    Path parent;

    private Path directory() {
        return parent.resolve("deep/inside/n1");
    }

    private NodeDirectory open() {
        return NodeDirectory.open(directory(), "n1");
    }

    private void assertRefused(String... messages) {
        assertThatIllegalStateException()
                .isThrownBy(() -> open().close())
                .satisfies(e -> assertThat(e).message().contains(messages));
    }

    private static ClusterLayout layout(String nodeId) {
        return new ClusterLayout(List.of(new Member("n1", "127.0.0.1", 7801, nodeId)), 8, 3);
    }

    @Test
    void aNewDirectoryIsMadeAndGetsAnIdentity() {
        try (NodeDirectory directory = open()) {
            assertThat(directory.nodeId()).matches("[0-9a-f]{32}");
            assertThat(directory.layout()).isNull();
            assertThat(directory.wal()).isEqualTo(directory().resolve("wal"));
        }
    }

    @Test
    void theIdentityStaysAndTheIncarnationGrows() {
        String nodeId;
        long incarnation;
        try (NodeDirectory directory = open()) {
            nodeId = directory.nodeId();
            incarnation = directory.incarnation();
        }
        for (int i = 0; i < 5; i++) {
            try (NodeDirectory directory = open()) {
                assertThat(directory.nodeId()).isEqualTo(nodeId);
                assertThat(directory.incarnation()).isGreaterThan(incarnation);
                incarnation = directory.incarnation();
            }
        }
        try (NodeDirectory other = NodeDirectory.open(parent.resolve("other"), "n1")) {
            assertThat(other.nodeId()).isNotEqualTo(nodeId);
        }
    }

    @Test
    void theIncarnationGrowsEvenIfTheClockGoesBack() throws IOException {
        open().close();
        Path file = directory().resolve("node");
        Files.writeString(file, sealed(file, "incarnation=.*", "incarnation=99999999999999999"));
        try (NodeDirectory directory = open()) {
            assertThat(directory.incarnation()).isEqualTo(100_000_000_000_000_000L);
        }
    }

    @Test
    void theFileOfTheIdentityStays() throws IOException {
        try (NodeDirectory directory = open()) {
            assertThat(directory().resolve("node"))
                    .hasContent(CheckedText.seal("elastickv-node 2\nname=n1\nnodeId=" + directory.nodeId()
                            + "\nincarnation=" + directory.incarnation() + "\n"));
            assertThat(CheckedText.seal("elastickv-node 2\n")).isEqualTo("elastickv-node 2\ncrc32c=0339a14c\n");
        }
    }

    @Test
    void aDirectoryIsUsedByOneNodeAtATime() {
        try (NodeDirectory first = open()) {
            assertRefused("dataDirectory = " + directory(), "in use by another node");
            assertThat(first.nodeId()).isNotEmpty();
        }
        open().close();
    }

    @Test
    void theDirectoryOfAnotherNodeIsRefused() {
        open().close();
        assertThatIllegalStateException()
                .isThrownBy(() -> NodeDirectory.open(directory(), "n2"))
                .withMessageContaining("belongs to node n1, this node is named n2");
        // And the refusal does not keep the lock.
        open().close();
    }

    @Test
    void dataWithoutIdentityIsRefused() throws IOException {
        open().close();
        Files.createDirectory(directory().resolve("wal"));
        Files.delete(directory().resolve("node"));
        assertRefused("has data but no file 'node'");
        Files.delete(directory().resolve("wal"));
        Files.writeString(directory().resolve("layout"), "x");
        assertRefused("has data but no file 'node'");
    }

    @Test
    void aDamagedIdentityIsRefusedByNameOfTheFile() throws IOException {
        open().close();
        Path file = directory().resolve("node");
        String good = Files.readString(file);
        for (String bad : List.of(
                "",
                "something else",
                good.replace("node 2", "node 1"),
                good.replace("name=n1", "name=n2"),
                sealed(file, "incarnation=.*", "incarnation="),
                sealed(file, "incarnation=.*", "incarnation=1x"),
                sealed(file, "incarnation=.*", "incarnation=99999999999999999999"),
                sealed(file, "nodeId=.*", "nodeId=abc"),
                sealed(file, "nodeId=.*\n", ""),
                sealed(file, "name=.*\n", ""),
                good.substring(0, good.indexOf("incarnation")))) {
            Files.writeString(file, bad);
            assertRefused("file " + file);
            assertThat(file).as("what is damaged is left to be looked at").hasContent(bad);
        }
        Files.write(file, new byte[] {'n', (byte) 0xff, (byte) 0xfe, 0});
        assertRefused("file " + file, "damaged");
        Files.writeString(file, good);
        open().close();
    }

    /** The text of the file, changed and with a good checksum. */
    private static String sealed(Path file, String expression, String replacement) throws IOException {
        String text = Files.readString(file);
        return CheckedText.seal(text.substring(0, text.lastIndexOf("crc32c=")).replaceAll(expression, replacement));
    }

    @Test
    void everyChangedByteOfTheIdentityIsRefused() throws IOException {
        open().close();
        Path file = directory().resolve("node");
        byte[] good = Files.readAllBytes(file);
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 0x04;
            Files.write(file, bad);
            assertRefused("file " + file);
        }
    }

    @Test
    void aDirectoryOfANewerVersionIsRefusedAsSuch() throws IOException {
        open().close();
        Path file = directory().resolve("node");
        Files.writeString(file, sealed(file, "elastickv-node 2", "elastickv-node 3"));
        assertRefused("is of format 'elastickv-node 3', this version of the library reads 'elastickv-node 2'");
    }

    @Test
    void theReplicasAreKept() throws IOException {
        try (NodeDirectory directory = open()) {
            ClusterLayout layout = layout(directory.nodeId());
            assertThat(directory.replicas(layout)).isNull();
            HeldReplicas replicas = HeldReplicas.atTheStart(layout, "n1", directory.nodeId());
            assertThat(replicas.held()).hasSize(8 + 1); // with the catalog's
            directory.saveReplicas(replicas.without(3, 5));
            assertThat(directory.replicas(layout)).isEqualTo(replicas.without(3, 5));
        }
    }

    @Test
    void replicasOfAnotherDirectoryOrClusterAreRefused() throws IOException {
        try (NodeDirectory directory = open()) {
            ClusterLayout layout = layout(directory.nodeId());
            HeldReplicas replicas = HeldReplicas.atTheStart(layout, "n1", directory.nodeId());
            directory.saveReplicas(HeldReplicas.atTheStart(layout("abc"), "n1", "abc"));
            assertThatIllegalStateException()
                    .isThrownBy(() -> directory.replicas(layout))
                    .withMessageContaining("of directory abc");
            directory.saveReplicas(replicas);
            ClusterLayout other =
                    new ClusterLayout(List.of(new Member("n1", "127.0.0.1", 7801, directory.nodeId())), 9, 3);
            assertThatIllegalStateException()
                    .isThrownBy(() -> directory.replicas(other))
                    .withMessageContaining("mixed");
            Path file = directory().resolve("replicas");
            Files.writeString(file, Files.readString(file).replace("replica=1 ", "replica=2 "));
            assertThatIllegalStateException()
                    .isThrownBy(() -> directory.replicas(layout))
                    .withMessageContaining("damaged");
        }
    }

    @Test
    void replicasWithoutTheirLogAreRefused() throws IOException {
        try (NodeDirectory directory = open()) {
            directory.saveReplicas(HeldReplicas.atTheStart(layout(directory.nodeId()), "n1", directory.nodeId()));
        }
        assertRefused("write-ahead log in " + directory().resolve("wal") + " is gone");
        Files.createDirectory(directory().resolve("wal"));
        assertRefused("is gone");
        Files.createFile(directory().resolve("wal").resolve("0000000000000001.wal"));
        open().close();
    }

    @Test
    void theLayoutOfAnotherDirectoryIsRefused() {
        try (NodeDirectory directory = open()) {
            directory.saveLayout(layout("abc"));
            assertThatIllegalStateException()
                    .isThrownBy(directory::layout)
                    .withMessageContaining("other directories than this one");
            directory.saveLayout(layout("abc").succeeded("n1", directory.nodeId(), 1));
            assertThat(directory.layout().nodeIdOf("n1")).isEqualTo(directory.nodeId());
            directory.saveLayout(
                    new ClusterLayout(List.of(new Member("n2", "127.0.0.1", 7801, directory.nodeId())), 9, 3));
            assertThatIllegalStateException().isThrownBy(directory::layout).withMessageContaining("no member named n1");
        }
    }

    @Test
    void theLayoutIsKept() {
        try (NodeDirectory directory = open()) {
            directory.saveLayout(layout(directory.nodeId()));
        }
        try (NodeDirectory directory = open()) {
            ClusterLayout kept = directory.layout();
            assertThat(kept.toText()).isEqualTo(layout(directory.nodeId()).toText());
        }
        assertThat(directory()).isDirectoryNotContaining(file -> file.toString().endsWith(".tmp"));
    }

    @Test
    void aDamagedLayoutIsRefusedByNameOfTheFile() throws IOException {
        Path file = directory().resolve("layout");
        try (NodeDirectory directory = open()) {
            directory.saveLayout(layout(directory.nodeId()));
            String good = Files.readString(file);
            for (byte[] bad : List.of(
                    good.replace("shards=8", "shards=9").getBytes(StandardCharsets.UTF_8),
                    new byte[0],
                    new byte[] {(byte) 0xff, 1, 2})) {
                Files.write(file, bad);
                assertThatIllegalStateException()
                        .isThrownBy(directory::layout)
                        .withMessageContaining("file " + file)
                        .withMessageContaining("copy it from another member");
            }
        }
    }

    @Test
    void whatAnInterruptedReplacementLeftDoesNotMatter() throws IOException {
        open().close();
        Files.writeString(directory().resolve("node.tmp"), "half a fi");
        Files.writeString(directory().resolve("layout.tmp"), "half a fi");
        try (NodeDirectory directory = open()) {
            assertThat(directory.layout()).isNull();
        }
    }

    @Test
    void aPathThatCannotBeADirectoryIsRefused() throws IOException {
        Files.writeString(parent.resolve("deep"), "a file");
        assertRefused("dataDirectory = " + directory(), "must be a directory that this process can write to");
    }

    @Test
    void aDirectoryThatCannotBeWrittenIsRefusedAndLeftUnlocked() throws IOException {
        open().close();
        // A directory in the place of the file to be written; permissions would not keep a superuser out.
        Path obstacle = Files.createDirectory(directory().resolve("node.tmp"));
        assertRefused("dataDirectory = " + directory(), "can write to");
        Files.delete(obstacle);
        try (NodeDirectory directory = open()) {
            Files.createDirectory(directory().resolve("layout.tmp"));
            assertThatThrownBy(() -> directory.saveLayout(layout(directory.nodeId())))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining("file " + directory().resolve("layout"));
            assertThat(directory.layout()).isNull();
        }
    }
}
