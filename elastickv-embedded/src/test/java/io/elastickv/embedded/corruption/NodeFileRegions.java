package io.elastickv.embedded.corruption;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** All regions of all files in a node's directory. */
public final class NodeFileRegions {

    private NodeFileRegions() {}

    /** Reads them; nothing may be writing to the directory. */
    public static List<FileRegion> of(Path directory) throws IOException {
        List<FileRegion> regions = new ArrayList<>();
        List<Path> files;
        try (Stream<Path> all = Files.list(directory)) {
            files = all.sorted().toList();
        }
        for (Path file : files) {
            String name = file.getFileName().toString();
            if (name.equals("wal")) {
                regions.addAll(log(file));
            } else if (name.equals("checkpoints")) {
                try (Stream<Path> groups = Files.list(file)) {
                    for (Path group : groups.filter(Files::isDirectory).sorted().toList()) {
                        regions.addAll(CheckpointRegions.of(group));
                    }
                }
            } else if (Files.isRegularFile(file)) {
                regions.addAll(TextRegions.of(name, file));
            }
        }
        return regions;
    }

    private static List<FileRegion> log(Path directory) throws IOException {
        List<Path> segments;
        List<Path> others;
        try (Stream<Path> files = Files.list(directory)) {
            segments = files.filter(file -> file.toString().endsWith(".wal"))
                    .sorted()
                    .toList();
        }
        try (Stream<Path> files = Files.list(directory)) {
            others = files.filter(file -> !file.toString().endsWith(".wal"))
                    .sorted()
                    .toList();
        }
        List<FileRegion> regions = new ArrayList<>();
        for (int i = 0; i < segments.size(); i++) {
            String kind = i < segments.size() - 1 ? "earlier segment" : "last segment";
            regions.addAll(SegmentRegions.of(kind, segments.get(i)));
        }
        for (Path other : others) {
            // Segments kept to be used again, under names of their own.
            regions.add(new FileRegion("spare segment", "all", other, 0, Math.min(Files.size(other), 1 << 16)));
        }
        return regions;
    }
}
