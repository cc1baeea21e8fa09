package io.elastickv.embedded.internal.shard;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.files.NodeFiles;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** A machine with a random log, its checkpoints on a disk in memory, and what it looked like at each. */
final class CheckpointFixture implements AutoCloseable {

    static final Path DIRECTORY = Path.of("/data/checkpoints/1");
    static final byte[] CONFIGURATION = "who".getBytes(UTF_8);
    static final StorageOptions OPTIONS = new StorageOptions(4096, 64, 2, 64);

    final ShardStateMachine machine;
    final RandomLog log;
    /** By the index of the checkpoint. */
    final Map<Long, RandomLog.Picture> pictures = new TreeMap<>();

    CheckpointFixture(StorageEngine engine, long seed, int fillers, int maxValueBytes) {
        machine = ShardStateMachine.create(1, 7, SlotRanges.of(0, 16383), engine, OPTIONS);
        log = new RandomLog(machine, new Random(seed), maxValueBytes).fillers(fillers);
    }

    void apply(int count) {
        for (int i = 0; i < count; i++) {
            log.applyNext();
        }
    }

    CheckpointManifest write(CheckpointDirectory directory) throws IOException {
        try (StateCapture capture = machine.beginCapture()) {
            pictures.put(capture.index(), log.picture(machine));
            return directory.write(capture, 3, CONFIGURATION);
        }
    }

    static CheckpointDirectory open(NodeFiles files) throws IOException {
        return CheckpointDirectory.open(files, DIRECTORY, 1);
    }

    /** Loads a checkpoint; it is the state that was captured. */
    void assertLoads(CheckpointDirectory directory, CheckpointManifest manifest) throws IOException {
        try (ShardStateMachine loaded =
                ShardStateMachine.create(1, 1, SlotRanges.of(0, 16383), StorageEngine.HEAP, OPTIONS)) {
            loaded.install(loaded.load(directory, manifest), Runnable::run);
            assertThat(log.picture(loaded)).isEqualTo(pictures.get(manifest.index()));
        }
    }

    /** Copies a checkpoint as a transfer does, in pieces. */
    static CheckpointManifest transfer(
            CheckpointDirectory from, CheckpointManifest manifest, CheckpointDirectory to, int pieceBytes)
            throws IOException {
        var staged = to.stage(manifest.encode(), pieceBytes);
        try (CheckpointDirectory.Hold hold = from.hold(manifest)) {
            for (var piece = staged.nextMissing(); piece != null; piece = staged.nextMissing()) {
                ByteBuffer bytes = ByteBuffer.allocate(piece.length());
                assertThat(from.readChunk(hold.manifest(), piece.file(), piece.offset(), bytes))
                        .isEqualTo(piece.length());
                staged.write(piece.file(), piece.offset(), bytes.flip());
            }
            return staged.commit();
        } finally {
            staged.abandon();
        }
    }

    static FaultyFiles copyOf(FaultyFiles files) {
        return files.afterPowerCut(FaultyFiles.Unsynced.KEPT, new Random(0));
    }

    @Override
    public void close() {
        machine.close();
    }
}
