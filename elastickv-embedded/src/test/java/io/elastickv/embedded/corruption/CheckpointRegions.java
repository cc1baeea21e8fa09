package io.elastickv.embedded.corruption;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** The regions of the files of one replica's checkpoints, by docs/formats.md, and of which checkpoint each is. */
final class CheckpointRegions {

    private static final int FILE_HEADER_BYTES = 48;
    private static final int BLOCK_HEADER_BYTES = 8;
    private static final int FILE_ENTRY_BYTES = 57;

    private final List<FileRegion> regions = new ArrayList<>();

    private CheckpointRegions() {}

    static List<FileRegion> of(Path directory) throws IOException {
        CheckpointRegions all = new CheckpointRegions();
        List<Path> manifests;
        try (Stream<Path> files = Files.list(directory)) {
            manifests = files.filter(file -> file.toString().endsWith(".manifest"))
                    .sorted(Comparator.reverseOrder())
                    .toList();
        }
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < manifests.size(); i++) {
            String age = i == 0 ? "newest checkpoint" : "older checkpoint";
            for (String name : all.manifest(age + ", manifest", manifests.get(i))) {
                Path file = directory.resolve(name);
                if (seen.add(name) && Files.exists(file)) {
                    // One that both use belongs to the newest: damage to it hits both.
                    all.file(age + (name.endsWith(".sessions") ? ", sessions" : ", bucket"), file);
                }
            }
        }
        return all.regions;
    }

    private void add(String kind, String region, Path file, long offset, long length) {
        if (length > 0) {
            regions.add(new FileRegion(kind, region, file, offset, length));
        }
    }

    /** Adds a manifest's regions; the names of the files that it lists. */
    private List<String> manifest(String kind, Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
        add(kind, "magic", file, 0, 8);
        add(kind, "version", file, 8, 4);
        add(kind, "length", file, 12, 4);
        add(kind, "group", file, 16, 4);
        add(kind, "index", file, 20, 8);
        add(kind, "term", file, 28, 8);
        add(kind, "epoch", file, 36, 8);
        add(kind, "log time", file, 44, 8);
        add(kind, "keys", file, 52, 8);
        add(kind, "counts", file, 60, 12);
        int spans = bytes.getInt(60);
        int configuration = bytes.getInt(64);
        int files = bytes.getInt(68);
        if (72L + spans * 4L + configuration + (long) files * FILE_ENTRY_BYTES + 4 != bytes.limit()) {
            throw new IOException(file + " is damaged already");
        }
        long at = 72;
        add(kind, "slots", file, at, spans * 4L);
        at += spans * 4L;
        add(kind, "configuration", file, at, configuration);
        at += configuration;
        List<String> names = new ArrayList<>();
        for (int i = 0; i < files; i++, at += FILE_ENTRY_BYTES) {
            int code = bytes.get((int) at);
            names.add(String.format("%016x", bytes.getLong((int) at + 1)) + (code == 1 ? ".bucket" : ".sessions"));
            add(kind, "file, kind", file, at, 1);
            add(kind, "file, number", file, at + 1, 8);
            add(kind, "file, length", file, at + 9, 8);
            add(kind, "file, checksum", file, at + 17, 4);
            add(kind, "file, slots", file, at + 21, 4);
            add(kind, "file, last change", file, at + 25, 8);
            add(kind, "file, sizes", file, at + 33, 24);
        }
        add(kind, "checksum", file, at, 4);
        return names;
    }

    private void file(String kind, Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
        add(kind, "header, magic", file, 0, 8);
        add(kind, "header, version", file, 8, 4);
        add(kind, "header, further fields", file, 12, FILE_HEADER_BYTES - 12L);
        int at = FILE_HEADER_BYTES;
        while (at + BLOCK_HEADER_BYTES <= bytes.limit()) {
            int length = bytes.getInt(at);
            if (length <= 0 || at + BLOCK_HEADER_BYTES + length > bytes.limit()) {
                break;
            }
            add(kind, "block, length", file, at, 4);
            add(kind, "block, checksum", file, at + 4L, 4);
            add(kind, "block, content", file, at + BLOCK_HEADER_BYTES, length);
            at += BLOCK_HEADER_BYTES + length;
        }
        add(kind, "end", file, at, bytes.limit() - (long) at);
    }
}
