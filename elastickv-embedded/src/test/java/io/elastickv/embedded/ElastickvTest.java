package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the builder refuses: always with the field and the value, always before anything is started. */
class ElastickvTest {

    @TempDir
    Path directory;

    private Elastickv node() {
        return Elastickv.builder().name("n1").dataDirectory(directory.resolve("data"));
    }

    private void assertRefused(Elastickv builder, String... messages) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.start().close())
                .satisfies(e ->
                        org.assertj.core.api.Assertions.assertThat(e).message().contains(messages));
        org.assertj.core.api.Assertions.assertThat(directory.resolve("data")).doesNotExist();
    }

    @Test
    void aNodeNeedsAName() {
        assertRefused(Elastickv.builder().dataDirectory(directory.resolve("data")), "name = null");
        for (String name : List.of("", "-n", ".n", "n 1", "n/1", "n\n", "x".repeat(65), "\u00fc")) {
            assertRefused(node().name(name), "name = " + name, "1 to 64 letters");
        }
    }

    @Test
    void aNodeStoresDataInANamedDirectoryOrSaysThatItStoresNone() {
        assertRefused(Elastickv.builder().name("n1"), "dataDirectory is not set", "storageless()");
        assertRefused(node().storageless(), "storageless = true and dataDirectory = " + directory);
        assertRefused(Elastickv.builder().name("n1").storageless(), "seeds = []");
    }

    @Test
    void addressesAreWellFormed() {
        assertRefused(node().address(" ", 7801), "address: the host must not be empty");
        assertRefused(node().address("h", 65_536), "port = 65536");
        assertRefused(node().address("h", -2), "port = -2");
        assertRefused(node().address("h", 0), "port = 0", "a port that others know");
        assertThatNullPointerException()
                .isThrownBy(() -> Elastickv.builder().address(null, 1))
                .withMessage("host");
        for (String seed : List.of("h", "h:", "h:x", ":1", "h:0", "h:65536", "::1:5")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Elastickv.builder().seeds("h:1", seed))
                    .withMessageContaining("seeds = [h:1, " + seed + "]");
        }
    }

    @Test
    void theSeedsOfAMemberAreAllMembersOnceEach() {
        assertRefused(
                node().address("h", 7801).seeds("h:7802", "h:7803"),
                "seeds = [h:7802, h:7803]",
                "lacks the node's own address h:7801");
        assertRefused(node().address("h", 7801).seeds("h:7801", "h:7802", "h:7801"), "an address is there twice");
    }

    @Test
    void numbersHaveTheirRanges() {
        assertRefused(node().shards(0), "shards = 0", "1-16384");
        assertRefused(node().shards(16_385), "shards = 16385");
        assertRefused(node().replicationFactor(0), "replicationFactor = 0", "1-9");
        assertRefused(node().replicationFactor(10), "replicationFactor = 10");
        assertRefused(node().eventLoops(0), "eventLoops = 0", "1-256");
        assertRefused(node().eventLoops(257), "eventLoops = 257");
        assertRefused(node().maxPendingOperations(0), "maxPendingOperations = 0");
        assertRefused(node().maxPendingOperations(10_000_001), "maxPendingOperations = 10000001");
        assertRefused(node().maxPendingBytes(0), "maxPendingBytes = 0");
    }

    @Test
    void timesHaveTheirRanges() {
        assertRefused(node().requestTimeout(Duration.ZERO), "requestTimeout = PT0S", "PT0.001S and PT1H");
        assertRefused(node().requestTimeout(Duration.ofHours(2)), "requestTimeout = PT2H");
        assertRefused(node().electionTimeout(Duration.ofMillis(99)), "electionTimeout = PT0.099S");
        assertRefused(node().electionTimeout(Duration.ofSeconds(61)), "electionTimeout = PT1M1S");
    }

    @Test
    void theEndsOfTheRangesAreInside() {
        // All are right but the last to be looked at.
        assertRefused(
                node().name("a" + "b".repeat(63))
                        .address("h", 65_535)
                        .seeds("h:65535", "[::1]:1")
                        .shards(16_384)
                        .replicationFactor(9)
                        .eventLoops(256)
                        .maxPendingOperations(1)
                        .maxPendingBytes(1)
                        .requestTimeout(Duration.ofMillis(1))
                        .electionTimeout(Duration.ofMillis(1)),
                "electionTimeout = PT0.001S");
    }

    @Test
    void nothingIsSetToNull() {
        Elastickv builder = Elastickv.builder();
        assertThatNullPointerException()
                .isThrownBy(() -> builder.durability(null))
                .withMessage("durability");
        assertThatNullPointerException().isThrownBy(() -> builder.storage(null)).withMessage("storage");
        assertThatNullPointerException()
                .isThrownBy(() -> builder.requestTimeout(null))
                .withMessage("requestTimeout");
        assertThatNullPointerException()
                .isThrownBy(() -> builder.electionTimeout(null))
                .withMessage("electionTimeout");
        assertThatNullPointerException()
                .isThrownBy(() -> builder.callbackExecutor(null))
                .withMessage("callbackExecutor");
    }

    @Test
    void aDirectoryThatCannotBeUsedIsNamed() throws IOException {
        Path file = Files.writeString(directory.resolve("data"), "a file");
        assertThatIllegalStateException()
                .isThrownBy(() -> node().storage(StorageEngine.HEAP)
                        .address("127.0.0.1", 1)
                        .start())
                .withMessageContaining("dataDirectory = " + file);
    }
}
