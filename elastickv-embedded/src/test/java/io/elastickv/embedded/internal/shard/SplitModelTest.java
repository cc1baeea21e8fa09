package io.elastickv.embedded.internal.shard;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.storage.CheckpointWrite;
import io.elastickv.embedded.internal.storage.StorageEngine;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Random commands, retries, splits, merges, checkpoints in the middle, and restarts, against a model. */
class SplitModelTest {

    private static final byte[] CONFIGURATION = "who".getBytes(UTF_8);
    private static final int SHARDS = 12;

    /** A checkpoint of a shard being written, and what it must have. */
    private record Writing(
            int shard,
            StateCapture capture,
            CheckpointDirectory directory,
            CheckpointWrite write,
            SplitWorld.Picture expected) {}

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void shardsDoAsTheirModelsDoHoweverTheySplit(StorageEngine engine) throws Exception {
        int seeds = Integer.getInteger("split.seeds", 15);
        for (long seed = 1; seed <= seeds; seed++) {
            try (SplitWorld world = new SplitWorld(seed, engine)) {
                run(world, engine);
            }
        }
    }

    private static void run(SplitWorld world, StorageEngine engine) throws Exception {
        Map<Integer, CheckpointDirectory> directories = new TreeMap<>();
        Map<Integer, Writing> writing = new TreeMap<>();
        for (int i = 0; i < 250; i++) {
            world.applyNext();
        }
        for (int i = 0; i < 2_000; i++) {
            world.applyNext();
            int what = world.random.nextInt(100);
            if (what < 2 && world.shards.size() < SHARDS) {
                for (int splits = 1 + world.random.nextInt(3); splits > 0; splits--) {
                    world.splitSome(); // the later ones divide what is being divided
                }
            } else if (what < 4) {
                world.mergeSome();
            } else if (what < 7) {
                SplitWorld.Shard shard = world.anyShard();
                if (!writing.containsKey(shard.id)) {
                    writing.put(shard.id, begin(world, shard, directories));
                }
            } else if (what < 10) {
                world.first.of(world.anyShard()).tidyUp(50);
            } else if (what < 45) {
                step(world, writing, engine);
            }
            if (i % 250 == 249) {
                world.check();
            }
        }
        for (Writing left : writing.values()) {
            left.capture().close();
            left.write().abandon();
        }
        world.check();
        assertThat(world.shards).as("seed %d", world.seed).hasSizeGreaterThan(3);
        assertThat(world.merged).as("seed %d", world.seed).isGreaterThan(3);
    }

    private static Writing begin(
            SplitWorld world, SplitWorld.Shard shard, Map<Integer, CheckpointDirectory> directories) throws Exception {
        CheckpointDirectory directory = directories.get(shard.id);
        if (directory == null) {
            directory = CheckpointDirectory.open(new FaultyFiles(), Path.of("/data/checkpoints/" + shard.id), shard.id);
            directories.put(shard.id, directory);
        }
        ShardStateMachine machine = world.first.of(shard);
        StateCapture capture = machine.beginCapture();
        return new Writing(
                shard.id,
                capture,
                directory,
                directory.startWrite(capture, 3, CONFIGURATION),
                SplitWorld.picture(machine));
    }

    private static void step(SplitWorld world, Map<Integer, Writing> writing, StorageEngine engine) throws Exception {
        for (Writing one : List.copyOf(writing.values())) {
            if (one.capture().isFailed()) {
                // What it should have was deleted meanwhile.
                writing.remove(one.shard());
                one.write().abandon();
                one.capture().close();
            } else if (!one.write().step()) {
                writing.remove(one.shard());
                CheckpointManifest manifest = one.write().manifest();
                one.write().abandon();
                one.capture().close();
                assertIsWhatWasCaptured(world, one, manifest, engine);
                one.directory().retain(2);
            }
        }
    }

    /** Loads it in place of an empty state and replays what came after, splits included. */
    private static void assertIsWhatWasCaptured(
            SplitWorld world, Writing one, CheckpointManifest manifest, StorageEngine engine) throws Exception {
        ShardStateMachine machine =
                ShardStateMachine.create(one.shard(), 99, SlotRanges.of(0, 16383), engine, world.options());
        try (SplitWorld.Replicas restarted = new SplitWorld.Replicas(machine, one.shard())) {
            machine.install(machine.load(one.directory(), manifest), Runnable::run);
            assertThat(SplitWorld.picture(machine))
                    .as("seed %d, shard %d", world.seed, one.shard())
                    .isEqualTo(one.expected());
            world.replay(restarted, one.shard());
        }
    }
}
