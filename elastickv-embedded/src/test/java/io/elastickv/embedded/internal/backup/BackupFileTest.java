package io.elastickv.embedded.internal.backup;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.BackupInfo;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.InvalidRequestException.Reason;
import io.elastickv.api.Limits;
import io.elastickv.embedded.internal.backup.BackupFormat.Header;
import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.files.FaultyFiles.Unsynced;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class BackupFileTest {

    private static final Path TARGET = Path.of("/backups/all.backup");
    private static final Path UNFINISHED = Path.of("/backups/all.backup.unfinished");
    private static final String CLUSTER = "000102030405060708090a0b0c0d0e0f";
    private static final Header HEADER = new Header(CLUSTER, 1_700_000_000_000L, 0x1122334455667788L, 2);

    private static EntryBlock block(String... keysAndValues) {
        EntryBlock.Builder builder = new EntryBlock.Builder();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            builder.add(keysAndValues[i].getBytes(UTF_8), keysAndValues[i + 1].getBytes(UTF_8), i == 0 ? 0 : 5000);
        }
        return builder.build();
    }

    private static BackupInfo write(FaultyFiles files, Header header) {
        try (BackupWriter writer = BackupWriter.create(files, TARGET, UNFINISHED, header)) {
            writer.add(0, block("a", "1", "b", ""));
            writer.add(3, block("c", "three"));
            return writer.commit(List.of(new ShardCut(0, 1, 10, 100, 1, 2), new ShardCut(3, 2, 20, 200, 1, 1)));
        }
    }

    private static byte[] sound() {
        FaultyFiles files = new FaultyFiles();
        write(files, HEADER);
        return files.content(TARGET);
    }

    private static Map<String, String> read(FaultyFiles files) {
        TreeMap<String, String> found = new TreeMap<>();
        try (BackupReader reader = BackupReader.open(files, TARGET)) {
            reader.read(block -> block.forEach((key, value, expiresAtMillis) ->
                    found.put(new String(key, UTF_8), new String(value, UTF_8) + "@" + expiresAtMillis)));
        }
        return found;
    }

    private static InvalidRequestException refusal(byte[] content) {
        try {
            read(new FaultyFiles().put(TARGET, content));
        } catch (InvalidRequestException e) {
            return e;
        }
        throw new AssertionError("read as if it were sound");
    }

    @Test
    void theBytesAreThoseOfVersionOne() {
        assertThat(HexFormat.of().formatHex(sound()))
                .isEqualTo(String.join(
                        "",
                        // header
                        "454b5642414b0d0a",
                        "00000001",
                        "00000000",
                        "000102030405060708090a0b0c0d0e0f",
                        "0000018bcfe56800",
                        "1122334455667788",
                        "00000002",
                        "0000000000000000",
                        "9ec02150",
                        // block 0: two entries of shard 0
                        "454b5642",
                        "00000001",
                        "0000000000000000",
                        "1122334455667788",
                        "00000000",
                        "00000002",
                        "00000023",
                        "8b1b9cda",
                        "5d982003",
                        "00000001",
                        "00000001",
                        "0000000000000000",
                        "61",
                        "31",
                        "00000001",
                        "00000000",
                        "0000000000001388",
                        "62",
                        // block 1: one entry of shard 3
                        "454b5642",
                        "00000001",
                        "0000000000000001",
                        "1122334455667788",
                        "00000003",
                        "00000001",
                        "00000016",
                        "9168e403",
                        "e26db0b6",
                        "00000001",
                        "00000005",
                        "0000000000000000",
                        "63",
                        "7468726565",
                        // the end: totals, then where each shard was cut
                        "454b5642",
                        "00000002",
                        "0000000000000002",
                        "1122334455667788",
                        "ffffffff",
                        "00000000",
                        "0000006c",
                        "1172ca45",
                        "c99453d0",
                        "0000000000000003",
                        "0000000000000039",
                        "00000002",
                        "00000000",
                        "0000000000000001",
                        "000000000000000a",
                        "0000000000000064",
                        "0000000000000001",
                        "0000000000000002",
                        "00000003",
                        "0000000000000002",
                        "0000000000000014",
                        "00000000000000c8",
                        "0000000000000001",
                        "0000000000000001"));
    }

    @Test
    void whatIsWrittenIsRead() {
        FaultyFiles files = new FaultyFiles();
        BackupInfo info = write(files, HEADER);
        assertThat(info)
                .isEqualTo(new BackupInfo(
                        CLUSTER, Instant.ofEpochMilli(1_700_000_000_000L), 2, 3, files.content(TARGET).length));
        assertThat(files.files()).containsExactly(TARGET);
        assertThat(read(files)).isEqualTo(new TreeMap<>(Map.of("a", "1@0", "b", "@5000", "c", "three@0")));
        try (BackupReader reader = BackupReader.open(files, TARGET)) {
            assertThat(reader.read(block -> {})).isEqualTo(info);
        }
    }

    @Test
    void everyFlippedByteIsRefused() {
        byte[] sound = sound();
        for (int i = 0; i < sound.length; i++) {
            for (int mask : new int[] {1, 0x80, 0xff}) {
                byte[] damaged = sound.clone();
                damaged[i] ^= (byte) mask;
                InvalidRequestException refusal = refusal(damaged);
                assertThat(refusal.reason()).isEqualTo(Reason.DAMAGED);
                assertThat(refusal).hasMessageContaining(TARGET + " at offset ");
            }
        }
    }

    @Test
    void everyOtherLengthIsRefused() {
        byte[] sound = sound();
        for (int length = 0; length < sound.length; length++) {
            assertThat(refusal(Arrays.copyOf(sound, length)).reason()).isEqualTo(Reason.DAMAGED);
        }
        assertThat(refusal(Arrays.copyOf(sound, sound.length + 1)))
                .hasMessageContaining("at offset " + sound.length + ": 1 bytes behind the end");
    }

    @Test
    void theOffsetOfTheDamageIsNamed() {
        byte[] damaged = sound();
        damaged[damaged.length - 1] ^= 1;
        int endOfBlocks = BackupFormat.HEADER_BYTES + 3 * BackupFormat.BLOCK_HEADER_BYTES + 0x23 + 0x16;
        assertThat(refusal(damaged)).hasMessageContaining("at offset " + endOfBlocks + ": ");
    }

    @Test
    void aBlockOfAnotherBackupIsRefused() {
        FaultyFiles files = new FaultyFiles();
        write(files, new Header(CLUSTER, 1_700_000_000_000L, 99, 2));
        byte[] mixed = sound();
        int from = BackupFormat.HEADER_BYTES;
        int length = BackupFormat.BLOCK_HEADER_BYTES + 0x23;
        System.arraycopy(files.content(TARGET), from, mixed, from, length);
        assertThat(refusal(mixed)).hasMessageContaining("at offset 64: block 0 is one of another backup");
    }

    @Test
    void aMissingBlockIsRefused() {
        byte[] sound = sound();
        int from = BackupFormat.HEADER_BYTES;
        int length = BackupFormat.BLOCK_HEADER_BYTES + 0x23;
        byte[] shorter = new byte[sound.length - length];
        System.arraycopy(sound, 0, shorter, 0, from);
        System.arraycopy(sound, from + length, shorter, from, shorter.length - from);
        assertThat(refusal(shorter)).hasMessageContaining("block 1 stands where block 0 belongs");
    }

    @Test
    void countsThatDoNotAgreeAreRefused() {
        for (List<ShardCut> cuts : List.of(
                List.of(new ShardCut(0, 1, 10, 100, 1, 2), new ShardCut(3, 2, 20, 200, 1, 2)),
                List.of(new ShardCut(0, 1, 10, 100, 2, 2), new ShardCut(3, 2, 20, 200, 1, 1)),
                List.of(new ShardCut(0, 1, 10, 100, 1, 2), new ShardCut(4, 2, 20, 200, 0, 0)),
                List.of(new ShardCut(0, 1, 10, 100, 1, 2), new ShardCut(0, 1, 10, 100, 1, 2)),
                List.of(new ShardCut(0, 1, 10, 100, 1, 2)))) {
            FaultyFiles files = new FaultyFiles();
            try (BackupWriter writer = BackupWriter.create(files, TARGET, UNFINISHED, HEADER)) {
                writer.add(0, block("a", "1", "b", ""));
                writer.add(3, block("c", "three"));
                writer.commit(cuts);
            }
            assertThat(refusal(files.content(TARGET)).reason()).isEqualTo(Reason.DAMAGED);
        }
    }

    @Test
    void aNewerVersionAndAnotherFileAreToldApart() {
        byte[] newer = sound();
        newer[11] = 2;
        java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
        crc.update(newer, 0, 60);
        java.nio.ByteBuffer.wrap(newer).putInt(60, (int) crc.getValue());
        assertThat(refusal(newer).reason()).isEqualTo(Reason.UNSUPPORTED);
        assertThat(refusal(newer)).hasMessageContaining("format version 2", "known is version 1");
        assertThat(refusal("#!/bin/sh and some more text, so that it is longer than a header of a backup\n"
                        .getBytes(UTF_8)))
                .hasMessageContaining("this is no backup");
        assertThatThrownBy(() -> BackupReader.open(new FaultyFiles(), TARGET))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("there is no such file");
    }

    @Test
    void anExistingFileIsLeftAlone() {
        FaultyFiles files = new FaultyFiles().put(TARGET, new byte[] {7});
        assertThatThrownBy(() -> write(files, HEADER))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining(TARGET + ": exists already");
        assertThat(files.content(TARGET)).containsExactly(7);
        assertThat(files.files()).containsExactly(TARGET);
    }

    @Test
    void aFailureAtAnyOperationLeavesNothingBehind() {
        int operations = countOperations();
        for (int i = 0; i < operations; i++) {
            FaultyFiles files = new FaultyFiles().failAt(i, () -> new IOException("No space left on device"));
            assertThatThrownBy(() -> write(files, HEADER))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining("no space left on the device");
            if (files.files().contains(TARGET)) {
                // Only its name may not be durable.
                assertThat(i).isEqualTo(operations - 1);
                assertThat(read(files)).hasSize(3);
            } else {
                assertThat(files.files()).as("after operation %d", i).isEmpty();
            }
        }
    }

    @Test
    void aPowerCutAtAnyOperationLeavesAWholeBackupOrNone() {
        int operations = countOperations();
        for (int i = 0; i < operations; i++) {
            for (Unsynced unsynced : Unsynced.values()) {
                Random random = new Random(i);
                FaultyFiles files = new FaultyFiles().crashAt(i, random);
                assertThatThrownBy(() -> write(files, HEADER)).isInstanceOf(UncheckedIOException.class);
                FaultyFiles after = files.afterPowerCut(unsynced, random);
                if (after.files().contains(TARGET)) {
                    assertThat(read(after)).hasSize(3);
                }
            }
        }
        FaultyFiles files = new FaultyFiles();
        write(files, HEADER);
        assertThat(read(files.afterPowerCut(Unsynced.LOST, new Random(0)))).hasSize(3);
    }

    private static int countOperations() {
        FaultyFiles files = new FaultyFiles();
        write(files, HEADER);
        return files.operations();
    }

    @Test
    void theLargestEntriesFit() {
        FaultyFiles files = new FaultyFiles();
        byte[] key = new byte[Limits.MAX_KEY_BYTES];
        byte[] value = new byte[Limits.MAX_VALUE_BYTES];
        new Random(1).nextBytes(value);
        EntryBlock.Builder builder = new EntryBlock.Builder();
        while (!builder.isFull()) {
            builder.add(new byte[] {1}, new byte[BackupFormat.BLOCK_TARGET_BYTES - 18], 0);
            if (!builder.isFull()) {
                builder.add(key, value, Long.MAX_VALUE);
            }
        }
        EntryBlock full = builder.build();
        assertThat(builder.isEmpty()).isTrue();
        try (BackupWriter writer = BackupWriter.create(files, TARGET, UNFINISHED, new Header(CLUSTER, 0, 1, 1))) {
            writer.add(0, full);
            writer.commit(List.of(new ShardCut(0, 1, 1, 1, 1, 2)));
        }
        List<byte[]> values = new ArrayList<>();
        try (BackupReader reader = BackupReader.open(files, TARGET)) {
            reader.read(block -> block.forEach((k, v, expiresAtMillis) -> values.add(v)));
        }
        assertThat(values).hasSize(2);
        assertThat(values.get(1)).isEqualTo(value);
    }

    @Test
    void randomChangesAreRefused() {
        byte[] sound = sound();
        Random random = new Random(42);
        for (int i = 0; i < 5000; i++) {
            byte[] damaged = sound.clone();
            int from = random.nextInt(sound.length);
            int length = 1 + random.nextInt(Math.min(64, sound.length - from));
            for (int j = from; j < from + length; j++) {
                damaged[j] = (byte) random.nextInt();
            }
            if (!Arrays.equals(sound, damaged)) {
                refusal(damaged);
            }
        }
    }
}
