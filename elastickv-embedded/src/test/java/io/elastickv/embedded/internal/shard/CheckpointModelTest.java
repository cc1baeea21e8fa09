package io.elastickv.embedded.internal.shard;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.storage.CheckpointWrite;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A random log is applied while checkpoints are written: what is loaded is the state at the index where the capture began,
 * exactly, and the rest of the log has the same results on top of it.
 */
class CheckpointModelTest {

    private static final SlotRanges ALL = SlotRanges.of(0, 16383);
    private static final Path DIRECTORY = Path.of("/data/checkpoints/1");
    private static final byte[] CONFIGURATION = "who".getBytes(UTF_8);

    private static final ExecutorService WRITER = Executors.newSingleThreadExecutor();

    @AfterAll
    static void stop() {
        WRITER.shutdownNow();
    }

    private static ShardStateMachine machine(StorageEngine engine, Random random) {
        StorageOptions options =
                new StorageOptions(1 << (7 + random.nextInt(8)), 64, 2, random.nextBoolean() ? 64 : 4096);
        return ShardStateMachine.create(1, 7, ALL, engine, options);
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void isTheStateAtItsIndexWhileAnotherThreadWritesIt(StorageEngine engine) throws Exception {
        for (int round = 0; round < 3; round++) {
            long seed = System.nanoTime();
            Random random = new Random(seed);
            try (ShardStateMachine machine = machine(engine, random)) {
                RandomLog log = new RandomLog(machine, random, 3_000);
                CheckpointDirectory directory = CheckpointDirectory.open(new FaultyFiles(), DIRECTORY, 1);
                for (int i = 0; i < 1_000; i++) {
                    log.applyNext();
                }
                for (int checkpoint = 0; checkpoint < 8; checkpoint++) {
                    try (StateCapture capture = machine.beginCapture()) {
                        RandomLog.Picture expected = log.picture(machine);
                        ShardModel model = log.copyOfModel();
                        Future<CheckpointManifest> written =
                                WRITER.submit(() -> directory.write(capture, 3, CONFIGURATION));
                        for (int i = 0; i < 50 || (!written.isDone() && i < 50_000); i++) {
                            log.applyNext();
                        }
                        CheckpointManifest manifest = written.get();
                        directory.retain(1 + random.nextInt(3));
                        assertLoadsTo(seed, log, machine, directory, manifest, expected, model);
                    }
                    for (int i = random.nextInt(300); i > 0; i--) {
                        log.applyNext();
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void isTheStateAtItsIndexHoweverTheStepsInterleave(StorageEngine engine) throws Exception {
        int seeds = Integer.getInteger("checkpoint.seeds", 25);
        for (long seed = 1; seed <= seeds; seed++) {
            Random random = new Random(seed);
            try (ShardStateMachine machine = machine(engine, random)) {
                RandomLog log = new RandomLog(machine, random, 1_000).fillers(200);
                CheckpointDirectory directory = CheckpointDirectory.open(new FaultyFiles(), DIRECTORY, 1);
                for (int i = 0; i < 300; i++) {
                    log.applyNext();
                }
                for (int checkpoint = 0; checkpoint < 4; checkpoint++) {
                    try (StateCapture capture = machine.beginCapture()) {
                        RandomLog.Picture expected = log.picture(machine);
                        ShardModel model = log.copyOfModel();
                        CheckpointWrite write = directory.startWrite(capture, 3, CONFIGURATION);
                        int pace = random.nextInt(6);
                        while (write.step()) {
                            for (int i = random.nextInt(1 + pace); i > 0; i--) {
                                log.applyNext();
                            }
                        }
                        CheckpointManifest manifest = write.manifest();
                        write.abandon();
                        assertLoadsTo(seed, log, machine, directory, manifest, expected, model);
                    }
                    for (int i = random.nextInt(60); i > 0; i--) {
                        log.applyNext();
                    }
                }
            }
        }
    }

    private static void assertLoadsTo(
            long seed,
            RandomLog log,
            ShardStateMachine original,
            CheckpointDirectory directory,
            CheckpointManifest manifest,
            RandomLog.Picture expected,
            ShardModel model)
            throws Exception {
        Random random = new Random(seed);
        for (StorageEngine engine : List.of(StorageEngine.HEAP, StorageEngine.OFF_HEAP)) {
            // Other buckets than those that were written, sometimes.
            StorageOptions options = new StorageOptions(1 << (7 + random.nextInt(8)), 64, 2, 1024);
            try (ShardStateMachine loaded = ShardStateMachine.create(1, 1, ALL, engine, options)) {
                loaded.install(loaded.load(directory, manifest));
                assertThat(log.picture(loaded)).as("seed %d", seed).isEqualTo(expected);
                log.assertThatModelIs(loaded, model);
                log.replayOn(loaded);
                assertThat(log.picture(loaded)).as("seed %d", seed).isEqualTo(log.picture(original));
            }
        }
    }
}
