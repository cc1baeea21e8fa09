package io.elastickv.embedded.internal.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.storage.StagedCheckpoint;
import io.elastickv.embedded.internal.storage.StorageEngine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Power cuts, kills and errors at every single operation on files: afterwards there is a checkpoint, complete, and if the
 * newer one was promised, it is that. Nothing looks damaged.
 */
class CheckpointCrashTest {

    private final CheckpointFixture shard = new CheckpointFixture(StorageEngine.HEAP, 1, 60, 300);
    /** With two checkpoints, not the newest state. */
    private final FaultyFiles disk = new FaultyFiles();
    /** A disk of another replica, with a checkpoint of the newest state. */
    private final FaultyFiles peerDisk = new FaultyFiles();

    private long before;
    private long after;

    @BeforeEach
    void makeCheckpoints() throws IOException {
        shard.apply(150);
        CheckpointDirectory directory = CheckpointFixture.open(disk);
        shard.write(directory);
        shard.apply(3);
        before = shard.write(directory).index();
        shard.apply(20);
        after = shard.write(CheckpointFixture.open(peerDisk)).index();
        assertThat(after).isGreaterThan(before);
    }

    @AfterEach
    void close() {
        shard.close();
    }

    private interface Action {
        /** Works on the checkpoints; returns the index that is promised in the end. */
        long run(CheckpointDirectory directory) throws IOException;
    }

    private void crashEverywhere(Action action) throws IOException {
        int survived = 0;
        List<String> left = new ArrayList<>();
        boolean complete = false;
        for (int at = 0; !complete; at++) {
            for (int seed = 0; seed < 3; seed++) {
                Random random = new Random(seed * 1_000L + at);
                FaultyFiles files = CheckpointFixture.copyOf(disk);
                CheckpointDirectory directory = CheckpointFixture.open(files);
                directory.verify(directory.manifests().get(0));
                files.crashAt(at, random);
                long promised = before;
                try {
                    promised = action.run(directory);
                } catch (IOException e) {
                    assertThat(files.hasCrashed()).isTrue();
                }
                complete = !files.hasCrashed();
                for (FaultyFiles.Unsynced unsynced : FaultyFiles.Unsynced.values()) {
                    assertServes(files.afterPowerCut(unsynced, random), promised, left);
                    survived++;
                }
                assertServes(files.afterKill(), promised, left);
            }
            assertThat(at).isLessThan(1_000);
        }
        assertThat(survived).isGreaterThan(30);
    }

    private void assertServes(FaultyFiles files, long promised, List<String> left) throws IOException {
        CheckpointDirectory directory = CheckpointFixture.open(files);
        assertThat(directory.damaged()).isEmpty();
        CheckpointManifest newest = directory.manifests().get(0);
        assertThat(newest.index()).isBetween(promised, after);
        for (CheckpointManifest manifest : directory.manifests()) {
            shard.assertLoads(directory, manifest);
        }
        // Nothing is left lying about.
        long needed = directory.manifests().stream()
                .flatMap(manifest -> manifest.files().stream())
                .map(file -> file.name())
                .distinct()
                .count();
        left.clear();
        files.files().forEach(file -> left.add(file.getFileName().toString()));
        assertThat(left).hasSize((int) needed + directory.manifests().size());
        // And it goes on.
        long written = shard.write(directory).index();
        directory.retain(1);
        assertThat(CheckpointFixture.open(files.afterKill()).manifests().get(0).index())
                .isEqualTo(written);
    }

    @Test
    void aCrashWhileWriting() throws IOException {
        crashEverywhere(directory -> shard.write(directory).index());
    }

    @Test
    void aCrashWhileReceiving() throws IOException {
        CheckpointDirectory peer = CheckpointFixture.open(peerDisk);
        crashEverywhere(
                directory -> CheckpointFixture.transfer(peer, peer.manifests().get(0), directory, 4_096)
                        .index());
    }

    @Test
    void aCrashWhileDeletingOldOnes() throws IOException {
        crashEverywhere(directory -> {
            shard.write(directory);
            directory.retain(1);
            return after;
        });
    }

    @Test
    void anErrorAnywhereLeavesTheOldOnesServingAndTheNextTrySucceeds() throws IOException {
        boolean complete = false;
        CheckpointDirectory peer = CheckpointFixture.open(peerDisk);
        for (int at = 0; !complete; at++) {
            for (boolean receiving : new boolean[] {false, true}) {
                FaultyFiles files = CheckpointFixture.copyOf(disk);
                CheckpointDirectory directory = CheckpointFixture.open(files);
                directory.verify(directory.manifests().get(0));
                files.failAt(at, () -> new IOException("injected"));
                boolean failed = false;
                try {
                    run(receiving, peer, directory);
                } catch (IOException e) {
                    failed = true;
                    assertThat(e).hasMessage("injected");
                }
                if (failed) {
                    assertThat(directory.manifests().get(0).index()).isIn(before, after);
                    shard.assertLoads(directory, directory.manifests().get(0));
                    run(receiving, peer, directory);
                }
                complete = !failed;
                assertThat(directory.manifests().get(0).index()).isEqualTo(after);
                CheckpointDirectory reopened = CheckpointFixture.open(files.afterKill());
                assertThat(reopened.damaged()).isEmpty();
                assertThat(reopened.manifests()).hasSize(1);
                shard.assertLoads(reopened, reopened.manifests().get(0));
            }
            assertThat(at).isLessThan(1_000);
        }
    }

    private void run(boolean receiving, CheckpointDirectory peer, CheckpointDirectory directory) throws IOException {
        if (receiving) {
            CheckpointFixture.transfer(peer, peer.manifests().get(0), directory, 4_096);
        } else {
            shard.write(directory);
        }
        directory.retain(1);
    }

    @Test
    void aFullDiskFailsTheWriteAndTakesNothing() throws IOException {
        FaultyFiles files = CheckpointFixture.copyOf(disk);
        CheckpointDirectory directory = CheckpointFixture.open(files);
        List<Path> present = files.files();
        for (long free : new long[] {0, 100, 1_000}) {
            files.freeBytes(free);
            assertThatThrownBy(() -> shard.write(directory))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("space");
            assertThat(files.files()).isEqualTo(present);
            shard.assertLoads(directory, directory.manifests().get(0));
        }
        files.freeBytes(Long.MAX_VALUE);
        assertThat(shard.write(directory).index()).isEqualTo(after);
    }

    @Test
    void aFullDiskFailsTheTransferAndItGoesOnWhenThereIsSpace() throws IOException {
        FaultyFiles files = CheckpointFixture.copyOf(disk);
        CheckpointDirectory directory = CheckpointFixture.open(files);
        CheckpointDirectory peer = CheckpointFixture.open(peerDisk);
        CheckpointManifest manifest = peer.manifests().get(0);
        var staged = directory.stage(manifest.encode(), 512);
        files.freeBytes(1_000);
        assertThatThrownBy(() -> receive(peer, manifest, staged)).hasMessageContaining("space");
        long received = staged.receivedBytes();
        assertThat(received).isPositive();
        files.freeBytes(Long.MAX_VALUE);
        assertThat(directory.stage(manifest.encode(), 512)).isSameAs(staged);
        assertThat(staged.receivedBytes()).isEqualTo(received);
        receive(peer, manifest, staged);
        assertThat(staged.commit().index()).isEqualTo(after);
        shard.assertLoads(directory, directory.manifests().get(0));
    }

    private static void receive(CheckpointDirectory peer, CheckpointManifest manifest, StagedCheckpoint staged)
            throws IOException {
        for (var piece = staged.nextMissing(); piece != null; piece = staged.nextMissing()) {
            ByteBuffer bytes = ByteBuffer.allocate(piece.length());
            peer.readChunk(manifest, piece.file(), piece.offset(), bytes);
            staged.write(piece.file(), piece.offset(), bytes.flip());
        }
    }
}
