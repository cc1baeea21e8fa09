package io.elastickv.embedded.internal.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.storage.CheckpointDamagedException;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.CheckpointFile;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.storage.CheckpointOutput;
import io.elastickv.embedded.internal.storage.CheckpointSource;
import io.elastickv.embedded.internal.storage.MalformedCheckpointException;
import io.elastickv.embedded.internal.storage.SlotSpan;
import io.elastickv.embedded.internal.storage.StagedCheckpoint;
import io.elastickv.embedded.internal.storage.StorageEngine;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Files that are not what was written: never a wrong state, always the file and the place in the message. */
class CheckpointDamageTest {

    private final CheckpointFixture shard = new CheckpointFixture(StorageEngine.HEAP, 2, 20, 100);
    private final FaultyFiles disk = new FaultyFiles();
    private CheckpointManifest older;
    private CheckpointManifest newest;

    @BeforeEach
    void makeCheckpoints() throws IOException {
        CheckpointDirectory directory = CheckpointFixture.open(disk);
        shard.apply(60);
        older = shard.write(directory);
        shard.apply(4);
        newest = shard.write(directory);
        assertThat(directory.damaged()).isEmpty();
    }

    @AfterEach
    void close() {
        shard.close();
    }

    private static Path path(CheckpointFile file) {
        return CheckpointFixture.DIRECTORY.resolve(file.name());
    }

    private static Path path(CheckpointManifest manifest) {
        return CheckpointFixture.DIRECTORY.resolve(String.format("%016x.manifest", manifest.index()));
    }

    private static boolean uses(CheckpointManifest manifest, CheckpointFile file) {
        return manifest.files().stream().anyMatch(other -> other.name().equals(file.name()));
    }

    /** Opens a disk with this in place of a file's content; whatever is served is right, and the damage is named. */
    private void assertNoticed(Path file, byte[] content) throws IOException {
        FaultyFiles files = CheckpointFixture.copyOf(disk).put(file, content);
        CheckpointDirectory directory = CheckpointFixture.open(files);
        for (CheckpointManifest manifest : directory.manifests()) {
            if (!directory.manifests().contains(manifest)) {
                continue; // the one before has a file in common with it
            }
            try {
                shard.assertLoads(directory, manifest);
            } catch (CheckpointDamagedException e) {
                assertThat(e.file()).isEqualTo(file.toString());
                assertThat(e.offset()).isBetween(0L, (long) Math.max(content.length, disk.content(file).length));
                assertThat(e).hasMessageContaining(file.toString()).hasMessageContaining("offset " + e.offset());
                assertThat(directory.manifests()).doesNotContain(manifest);
            }
        }
        assertThat(directory.damaged()).anyMatch(what -> what.contains(file.toString()));
        // Whatever does not need the file goes on serving; a new checkpoint does not use it.
        for (CheckpointManifest manifest : List.of(older, newest)) {
            boolean needs = file.equals(path(manifest))
                    || manifest.files().stream().anyMatch(other -> path(other).equals(file));
            assertThat(directory.manifests().stream().anyMatch(served -> served.index() == manifest.index()))
                    .isEqualTo(!needs);
        }
        if (directory.manifests().isEmpty() || directory.manifests().get(0).index() < shard.machine.appliedIndex()) {
            CheckpointManifest written = shard.write(directory);
            directory.retain(1);
            CheckpointDirectory reopened = CheckpointFixture.open(files);
            assertThat(reopened.damaged()).isEmpty();
            assertThat(reopened.manifests()).hasSize(1);
            assertThat(reopened.manifests().get(0).index()).isEqualTo(written.index());
            shard.assertLoads(reopened, reopened.manifests().get(0));
        }
    }

    private List<Path> filesOfTheNewest() {
        CheckpointFile sessions = newest.files().get(0);
        CheckpointFile shared = newest.files().stream()
                .filter(file -> uses(older, file))
                .findFirst()
                .orElseThrow();
        CheckpointFile own = newest.files().stream()
                .filter(file -> file.kind() == CheckpointFile.Kind.BUCKET && !uses(older, file))
                .findFirst()
                .orElseThrow();
        return List.of(path(newest), path(older), path(sessions), path(shared), path(own));
    }

    @Test
    void anyFlippedByteOfAnyFileIsNoticed() throws IOException {
        Random random = new Random(1);
        for (Path file : filesOfTheNewest()) {
            byte[] content = disk.content(file);
            for (int i = 0; i < content.length; i++) {
                byte[] flipped = content.clone();
                flipped[i] ^= (byte) (1 << random.nextInt(8));
                assertNoticed(file, flipped);
            }
        }
    }

    @Test
    void anyTruncationAndAnythingAppendedIsNoticed() throws IOException {
        for (Path file : filesOfTheNewest()) {
            byte[] content = disk.content(file);
            for (int length = 0; length < content.length; length++) {
                assertNoticed(file, Arrays.copyOf(content, length));
            }
            assertNoticed(file, Arrays.copyOf(content, content.length + 1));
            assertNoticed(file, Arrays.copyOf(content, content.length + 5_000));
        }
    }

    @Test
    void aMissingFileIsNoticedBeforeAnythingIsRead() throws IOException {
        for (CheckpointFile file : newest.files()) {
            CheckpointDirectory directory =
                    CheckpointFixture.open(CheckpointFixture.copyOf(disk).remove(path(file)));
            assertThat(directory.damaged()).anyMatch(what -> what.contains(file.name() + ", offset 0: it is missing"));
            assertThat(directory.manifests()).noneMatch(manifest -> manifest.index() == newest.index());
        }
    }

    /** Equal lengths and good checksums in themselves. */
    @Test
    void filesInEachOthersPlacesAreNoticed() throws IOException {
        for (CheckpointFile one : newest.files()) {
            for (CheckpointFile other : newest.files()) {
                if (one.number() != other.number()) {
                    assertNoticed(path(one), disk.content(path(other)));
                }
            }
        }
    }

    @Test
    void aCheckpointOfAnotherGroupIsRefused() throws IOException {
        CheckpointDirectory other =
                CheckpointDirectory.open(CheckpointFixture.copyOf(disk), CheckpointFixture.DIRECTORY, 2);
        assertThat(other.manifests()).isEmpty();
        assertThat(other.damaged()).hasSize(2).allMatch(what -> what.contains("of group 1"));
        assertThatThrownBy(() -> other.stage(newest.encode())).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void whatIsReceivedIsVerifiedAndCanBeSentAgain() throws IOException {
        CheckpointDirectory from = CheckpointFixture.open(disk);
        CheckpointManifest manifest = from.manifests().get(0);
        Random random = new Random(3);
        CheckpointDirectory to = CheckpointFixture.open(new FaultyFiles());
        StagedCheckpoint staged = to.stage(manifest.encode(), 100);
        for (int round = 0; round < 20; round++) {
            for (var piece = staged.nextMissing(); piece != null; piece = staged.nextMissing()) {
                ByteBuffer bytes = ByteBuffer.allocate(piece.length());
                from.readChunk(manifest, piece.file(), piece.offset(), bytes);
                if (round < 19 && random.nextInt(20) == 0) {
                    bytes.array()[random.nextInt(piece.length())] ^= 1;
                }
                staged.write(piece.file(), piece.offset(), bytes.flip());
            }
            Throwable problem = catchThrowable(staged::commit);
            if (problem != null) {
                assertThat(problem).isInstanceOf(CheckpointDamagedException.class);
                assertThat(staged.nextMissing()).isNotNull();
                assertThat(to.manifests()).isEmpty();
            }
        }
        assertThat(to.manifests()).hasSize(1);
        shard.assertLoads(to, to.manifests().get(0));
    }

    @Test
    void mutatedManifestsNeverDoAnythingButFail() {
        byte[] bytes = newest.encode();
        Random random = new Random(4);
        for (int i = 0; i < 20_000; i++) {
            byte[] mutated =
                    random.nextInt(4) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length * 2)) : bytes.clone();
            for (int n = 1 + random.nextInt(3); n > 0 && mutated.length > 0; n--) {
                mutated[random.nextInt(mutated.length)] = (byte) random.nextInt();
            }
            withChecksum(mutated);
            try {
                CheckpointManifest decoded = CheckpointManifest.decode(mutated);
                assertThat(CheckpointManifest.decode(decoded.encode()).encode()).isEqualTo(decoded.encode());
            } catch (MalformedCheckpointException e) {
                assertThat(e.offset()).isBetween(0L, (long) mutated.length);
            }
        }
    }

    private static void withChecksum(byte[] manifest) {
        if (manifest.length >= 4) {
            CRC32C crc = new CRC32C();
            crc.update(manifest, 0, manifest.length - 4);
            ByteBuffer.wrap(manifest).putInt(manifest.length - 4, (int) crc.getValue());
        }
    }

    /** Contents that nobody would write, in files whose checksums are right: reported, and little is allocated. */
    @Test
    void mutatedContentsWithGoodChecksumsNeverDoAnythingButFail() throws IOException {
        Random random = new Random(5);
        int damaged = 0;
        for (CheckpointFile file : newest.files()) {
            byte[] contents = contents(file);
            for (int i = 0; i < 1_000; i++) {
                byte[] mutated = random.nextInt(4) == 0
                        ? Arrays.copyOf(contents, random.nextInt(contents.length + 1))
                        : contents.clone();
                for (int n = 1 + random.nextInt(3); n > 0 && mutated.length > 0; n--) {
                    mutated[random.nextInt(mutated.length)] = (byte) random.nextInt();
                }
                CheckpointDirectory other = CheckpointFixture.open(new FaultyFiles());
                other.write(new Forged(newest, file, mutated), 1, new byte[0]);
                try (ShardStateMachine machine = ShardStateMachine.create(
                        1, 1, SlotRanges.of(0, 16383), StorageEngine.HEAP, CheckpointFixture.OPTIONS)) {
                    machine.install(machine.load(other, other.manifests().get(0)), Runnable::run);
                } catch (CheckpointDamagedException e) {
                    damaged++;
                    assertThat(other.manifests()).isEmpty();
                    assertThat(e.offset()).isPositive();
                }
            }
        }
        assertThat(damaged).isGreaterThan(1_000);
    }

    /** All blocks' payloads: u32 length, u32 checksum, bytes; behind the header of 48 bytes. */
    private byte[] contents(CheckpointFile file) {
        ByteBuffer in = ByteBuffer.wrap(disk.content(path(file))).position(48);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int length = in.getInt(); length > 0; length = in.getInt()) {
            in.getInt();
            byte[] block = new byte[length];
            in.get(block);
            out.writeBytes(block);
        }
        return out.toByteArray();
    }

    /** A checkpoint of one file with these contents, and an empty one of the other kind. */
    private record Forged(CheckpointManifest like, CheckpointFile file, byte[] contents) implements CheckpointSource {

        @Override
        public long index() {
            return like.index();
        }

        @Override
        public long epoch() {
            return like.epoch();
        }

        @Override
        public List<SlotSpan> slots() {
            return like.slots();
        }

        @Override
        public long logTimeMillis() {
            return like.logTimeMillis();
        }

        @Override
        public long keys() {
            return file.keys();
        }

        @Override
        public List<Part> parts() {
            return file.kind() == CheckpointFile.Kind.SESSIONS
                    ? List.of(new Bytes(file, contents))
                    : List.of(new Bytes(like.files().get(0), new byte[0]), new Bytes(file, contents));
        }

        @Override
        public String failure() {
            return null;
        }
    }

    private record Bytes(CheckpointFile file, byte[] contents) implements CheckpointSource.Part {

        @Override
        public CheckpointFile.Kind kind() {
            return file.kind();
        }

        @Override
        public SlotSpan slots() {
            return file.slots();
        }

        @Override
        public long lastChange() {
            return file.lastChange();
        }

        @Override
        public long keys() {
            return file.keys();
        }

        @Override
        public boolean step(CheckpointOutput out) throws IOException {
            out.putBytes(contents, 0, contents.length);
            return false;
        }

        @Override
        public void release() {}
    }
}
