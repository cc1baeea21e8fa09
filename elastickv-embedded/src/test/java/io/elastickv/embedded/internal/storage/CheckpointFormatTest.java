package io.elastickv.embedded.internal.storage;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** The bytes on disk, as docs/formats.md describes them. */
class CheckpointFormatTest {

    private static final Path FILE = Path.of("/d/000000000000002a.bucket");
    private static final SlotSpan SLOTS = new SlotSpan(256, 511);

    private final FaultyFiles files = new FaultyFiles();

    private record Part(CheckpointFile.Kind kind, SlotSpan slots, long lastChange, long keys)
            implements CheckpointSource.Part {
        @Override
        public boolean step(CheckpointOutput out) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void release() {}
    }

    private interface Content {
        void write(CheckpointOutput out) throws IOException;
    }

    private CheckpointFile write(CheckpointFile.Kind kind, long keys, Content content) throws IOException {
        Part part = new Part(kind, SLOTS, 0x11, keys);
        try (NodeFile file = files.openForWriting(FILE)) {
            CheckpointOutput out = new CheckpointOutput(file, new byte[CheckpointOutput.BUFFER_BYTES], 7, 0x1234, part);
            content.write(out);
            out.finish();
            return out.describe(part, 0x2a);
        }
    }

    private static void putEntry(CheckpointOutput out, String key, String value, long version, long expires)
            throws IOException {
        byte[] k = key.getBytes(US_ASCII);
        byte[] v = value.getBytes(US_ASCII);
        out.putEntry(k, 0, k.length, v, 0, v.length, version, expires);
    }

    private static byte[] hex(String... parts) {
        return HexFormat.of().parseHex(String.join("", parts).replace(" ", ""));
    }

    @Test
    void theBytesOfABucketAreThoseOfVersionOne() throws IOException {
        CheckpointFile file = write(CheckpointFile.Kind.BUCKET, 2, out -> {
            putEntry(out, "k", "value", 5, 0);
            putEntry(out, "key", "", 300, 1_000);
        });
        byte[] expected = hex(
                "454B56434B420D0A 00000001 00000007 0000000000001234 0000000000000011 0100 01FF", // header
                "00000000 00000000 3186B795",
                "00000013 AF562D7D", // block
                "01 05 05 00 6B 76616C7565",
                "03 00 AC02 E807 6B6579",
                "00000000 286E81C6 0000000000000013"); // end
        assertThat(files.content(FILE)).isEqualTo(expected);
        assertThat(file)
                .isEqualTo(new CheckpointFile(
                        CheckpointFile.Kind.BUCKET, 0x2a, expected.length, 0x6DA7DBD7, SLOTS, 0x11, 2, 4, 5));
        assertThat(file.name()).isEqualTo("000000000000002a.bucket");
    }

    @Test
    void aFileWithoutContentsIsHeaderAndEnd() throws IOException {
        write(CheckpointFile.Kind.SESSIONS, 0, out -> {});
        assertThat(files.content(FILE))
                .isEqualTo(hex(
                        "454B56434B530D0A 00000001 00000007 0000000000001234 0000000000000011 0100 01FF",
                        "00000000 00000000 15404CE9",
                        "00000000 2B60B55D 0000000000000000"));
    }

    @Test
    void theBytesOfAManifestAreThoseOfVersionOne() {
        CheckpointManifest manifest = new CheckpointManifest(
                7,
                0x1234,
                3,
                new byte[] {(byte) 0xC0, 1},
                9,
                List.of(new SlotSpan(0, 255), SLOTS),
                1_700_000_000_000L,
                2,
                List.of(
                        new CheckpointFile(
                                CheckpointFile.Kind.SESSIONS,
                                0x29,
                                64,
                                0x01020304,
                                new SlotSpan(0, 511),
                                0x1234,
                                0,
                                0,
                                0),
                        new CheckpointFile(CheckpointFile.Kind.BUCKET, 0x2a, 91, 0x05060708, SLOTS, 0x11, 2, 4, 5)));
        byte[] expected = hex(
                "454B56434B4D0D0A 00000001 000000C8",
                "00000007 0000000000001234 0000000000000003 0000000000000009 0000018BCFE56800 0000000000000002",
                "00000002 00000002 00000002",
                "0000 00FF 0100 01FF",
                "C001",
                "02 0000000000000029 0000000000000040 01020304 0000 01FF 0000000000001234",
                "0000000000000000 0000000000000000 0000000000000000",
                "01 000000000000002A 000000000000005B 05060708 0100 01FF 0000000000000011",
                "0000000000000002 0000000000000004 0000000000000005",
                "CF79C0C7");
        assertThat(manifest.encode()).isEqualTo(expected);
        assertThat(manifest.name()).isEqualTo("0000000000001234.manifest");
        assertThat(manifest.totalBytes()).isEqualTo(64 + 91);
        CheckpointManifest decoded = CheckpointManifest.decode(expected);
        assertThat(decoded.encode()).isEqualTo(expected);
        assertThat(decoded.files()).isEqualTo(manifest.files());
        assertThat(decoded.slots()).isEqualTo(manifest.slots());
    }

    @Test
    void theBytesOfAManifestWithSlotsGivenAwayAreThoseOfVersionTwo() {
        CheckpointManifest manifest = new CheckpointManifest(
                7,
                0x1234,
                3,
                new byte[] {(byte) 0xC0, 1},
                9,
                List.of(),
                1_700_000_000_000L,
                0,
                List.of(new CheckpointFile(
                        CheckpointFile.Kind.SESSIONS, 0x29, 64, 0x01020304, new SlotSpan(0, 0), 0x1234, 0, 0, 0)),
                0x55,
                new GivenSlots(9, SLOTS, 12, 0x66));
        byte[] expected = hex(
                "454B56434B4D0D0A 00000002 000000A8",
                "00000007 0000000000001234 0000000000000003 0000000000000009 0000018BCFE56800 0000000000000000",
                "00000000 00000002 00000001",
                "0000000000000055 01 0000000000000009 0100 01FF 0000000C 0000000000000066",
                "C001",
                "02 0000000000000029 0000000000000040 01020304 0000 0000 0000000000001234",
                "0000000000000000 0000000000000000 0000000000000000",
                "00000000");
        CRC32C crc = new CRC32C();
        crc.update(expected, 0, expected.length - 4);
        ByteBuffer.wrap(expected).putInt(expected.length - 4, (int) crc.getValue());
        assertThat(manifest.encode()).isEqualTo(expected);
        CheckpointManifest decoded = CheckpointManifest.decode(expected);
        assertThat(decoded.encode()).isEqualTo(expected);
        assertThat(decoded.versionOffset()).isEqualTo(0x55);
        assertThat(decoded.given()).isEqualTo(manifest.given());
    }

    @Test
    void aDirectoryOfNewerSoftwareIsNotOpened() throws IOException {
        byte[] bytes = new byte[80];
        byte[] head = hex("454B56434B4D0D0A 00000003 00000050");
        System.arraycopy(head, 0, bytes, 0, head.length);
        Path manifest = Path.of("/d/0000000000000001.manifest");
        // With a wrong checksum it is damage.
        CheckpointDirectory opened = CheckpointDirectory.open(files.put(manifest, bytes), Path.of("/d"), 7);
        assertThat(opened.damaged())
                .containsExactly(
                        "checkpoint file /d/0000000000000001.manifest, offset 8: a manifest of version 3, known are 1"
                                + " and 2");
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, 76);
        ByteBuffer.wrap(bytes).putInt(76, (int) crc.getValue());
        files.put(manifest, bytes);
        assertThatThrownBy(() -> CheckpointDirectory.open(files, Path.of("/d"), 7))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("/d/0000000000000001.manifest")
                .hasMessageContaining("version 3, known are 1 and 2")
                .hasMessageContaining("start the version of the software that wrote it");
    }

    @Test
    void contentsOfAnyLengthComeBackAcrossBlocks() throws IOException {
        Random random = new Random(1);
        List<byte[]> pieces = new ArrayList<>();
        List<Long> numbers = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            byte[] piece = new byte[random.nextInt(random.nextInt(20) == 0 ? 200_000 : 2_000)];
            random.nextBytes(piece);
            pieces.add(piece);
            numbers.add(random.nextLong() >>> random.nextInt(64));
        }
        CheckpointFile file = write(CheckpointFile.Kind.SESSIONS, 0, out -> {
            for (int i = 0; i < pieces.size(); i++) {
                out.putVarint(pieces.get(i).length);
                out.putBytes(pieces.get(i), 0, pieces.get(i).length);
                out.putVarint(numbers.get(i));
                out.putByte(i);
            }
        });
        try (NodeFile opened = files.openForReading(FILE)) {
            CheckpointInput in = new CheckpointInput(opened, FILE.toString(), 7, file);
            for (int i = 0; i < pieces.size(); i++) {
                assertThat(in.hasMore()).isTrue();
                assertThat(in.getBytes(in.getLength(200_000))).isEqualTo(pieces.get(i));
                assertThat(in.getVarint()).isEqualTo(numbers.get(i));
                assertThat(in.getByte()).isEqualTo(i & 0xff);
            }
            assertThat(in.hasMore()).isFalse();
            in.expectEnd();
        }
    }

    @Test
    void aLengthIsAtMostWhatIsLeft() throws IOException {
        CheckpointFile file = write(CheckpointFile.Kind.SESSIONS, 0, out -> {
            out.putVarint(1_000_000);
            out.putByte(0);
        });
        try (NodeFile opened = files.openForReading(FILE)) {
            CheckpointInput in = new CheckpointInput(opened, FILE.toString(), 7, file);
            assertThatThrownBy(() -> in.getLength(16 << 20))
                    .isInstanceOf(CheckpointDamagedException.class)
                    .hasMessageContaining("the number 1000000 where at most");
        }
    }
}
