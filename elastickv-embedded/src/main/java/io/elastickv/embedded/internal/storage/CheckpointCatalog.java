package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.files.NodeFiles;
import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which checkpoints a directory has, which of its files they need, and which of those are known to be good. Thread-safe:
 * everything that changes what is there happens under one lock; the contents of files are read and written without it.
 */
final class CheckpointCatalog {

    private static final Logger LOG = LoggerFactory.getLogger(CheckpointCatalog.class);

    private final NodeFiles files;
    private final Path directory;
    private final int groupId;

    /** Complete as far as is known, by index. */
    private final TreeMap<Long, CheckpointManifest> manifests = new TreeMap<>();
    /** Damaged, by index: kept until there is a newer good one. */
    private final TreeSet<Long> damagedManifests = new TreeSet<>();

    private final List<String> damage = new ArrayList<>();
    /** Names of all files with contents on disk, and their numbers. */
    private final Map<String, Long> present = new HashMap<>();
    /** Being written or received. */
    private final Set<String> unfinished = new HashSet<>();
    /** Written or verified by this process: to be used again without a look. */
    private final Set<Long> trusted = new HashSet<>();

    private record Held(CheckpointManifest manifest, int count) {}

    /** By the number of the file of sessions, which no two checkpoints have in common. */
    private final Map<Long, Held> holds = new HashMap<>();

    private long lastNumber;
    private boolean writing;

    CheckpointCatalog(NodeFiles files, Path directory, int groupId) {
        this.files = files;
        this.directory = directory;
        this.groupId = groupId;
    }

    synchronized void open() throws IOException {
        create();
        List<String> names = new ArrayList<>(files.list(directory));
        names.sort(Comparator.naturalOrder());
        boolean removed = false;
        for (String name : names) {
            if (name.endsWith(CheckpointFormat.TEMPORARY_SUFFIX)) {
                files.delete(directory.resolve(name));
                removed = true;
            } else if (name.endsWith(CheckpointFormat.MANIFEST_SUFFIX)) {
                openManifest(name);
            } else if (isContents(name)) {
                present.put(name, numberOf(name));
                lastNumber = Math.max(lastNumber, numberOf(name));
            } else {
                LOG.warn("{}: not a file of a checkpoint, ignored", directory.resolve(name));
            }
        }
        List<CheckpointManifest> all = new ArrayList<>(manifests.values());
        for (CheckpointManifest manifest : all) {
            checkFiles(manifest);
        }
        // What a damaged manifest names may be all that is left of something: somebody should see it first.
        if (damagedManifests.isEmpty()) {
            removed |= deleteUnneeded();
        }
        if (removed) {
            files.forceDirectory(directory);
        }
    }

    /** What is durable in a directory is lost with the directory's own name. */
    private void create() throws IOException {
        if (files.exists(directory)) {
            return;
        }
        files.createDirectories(directory);
        Path parent = directory.getParent();
        for (int i = 0; i < 2 && parent != null; i++) {
            files.forceDirectory(parent);
            parent = parent.getParent();
        }
    }

    private void openManifest(String name) throws IOException {
        Path path = directory.resolve(name);
        Long index = indexOf(name);
        if (index == null) {
            LOG.warn("{}: not a file of a checkpoint, ignored", path);
            return;
        }
        try {
            CheckpointManifest manifest = CheckpointManifest.decode(readManifest(path));
            if (manifest.index() != index || manifest.group() != groupId) {
                throw new MalformedCheckpointException(
                        0, "the manifest of index " + manifest.index() + " of group " + manifest.group());
            }
            for (CheckpointFile file : manifest.files()) {
                lastNumber = Math.max(lastNumber, file.number());
            }
            manifests.put(index, manifest);
        } catch (MalformedCheckpointException e) {
            if (e.isNewer()) {
                throw new IOException("checkpoint file " + path + ": " + e.getMessage()
                        + "; start the version of the software that wrote it, or a later one");
            }
            damagedManifests.add(index);
            addDamage("checkpoint file " + path + ", offset " + e.offset() + ": " + e.getMessage());
        }
    }

    private byte[] readManifest(Path path) throws IOException {
        try (NodeFile file = files.openForReading(path)) {
            long size = file.size();
            if (size > CheckpointManifest.MAX_BYTES) {
                throw new MalformedCheckpointException(0, "a manifest of " + size + " bytes");
            }
            ByteBuffer bytes = ByteBuffer.allocate((int) size);
            while (bytes.hasRemaining()) {
                if (file.read(bytes, bytes.position()) < 0) {
                    throw new MalformedCheckpointException(bytes.position(), "the file ends early");
                }
            }
            return bytes.array();
        }
    }

    private void checkFiles(CheckpointManifest manifest) throws IOException {
        for (CheckpointFile file : manifest.files()) {
            Path path = directory.resolve(file.name());
            String what;
            long offset = 0;
            try (NodeFile opened = files.openForReading(path)) {
                long size = opened.size();
                if (size == file.length()) {
                    continue;
                }
                offset = Math.min(size, file.length());
                what = "it has " + size + " bytes, the manifest says " + file.length();
            } catch (NoSuchFileException e) {
                what = "it is missing";
            }
            exclude(manifest);
            addDamage("checkpoint file " + path + ", offset " + offset + ": " + what);
            return;
        }
    }

    private void exclude(CheckpointManifest manifest) {
        manifests.remove(manifest.index());
        damagedManifests.add(manifest.index());
    }

    private void addDamage(String what) {
        if (!damage.contains(what)) {
            damage.add(what);
            LOG.warn("{}", what);
        }
    }

    synchronized List<CheckpointManifest> manifests() {
        return List.copyOf(manifests.descendingMap().values());
    }

    synchronized List<String> damaged() {
        return List.copyOf(damage);
    }

    /** All checkpoints that need this file are damaged. */
    synchronized void reportDamage(CheckpointFile file, CheckpointDamagedException problem) {
        trusted.remove(file.number());
        for (CheckpointManifest manifest : List.copyOf(manifests.values())) {
            if (manifest.files().stream().anyMatch(other -> other.number() == file.number())) {
                exclude(manifest);
            }
        }
        addDamage(String.valueOf(problem.getMessage()));
    }

    synchronized void trust(CheckpointFile file) {
        trusted.add(file.number());
    }

    /** Begins a write; returns the newest checkpoint. */
    synchronized @Nullable CheckpointManifest beginWrite(long index) {
        if (writing) {
            throw new IllegalStateException(directory + ": a checkpoint is being written already");
        }
        CheckpointManifest newest =
                manifests.isEmpty() ? null : manifests.lastEntry().getValue();
        if (newest != null && newest.index() > index) {
            throw new IllegalStateException(
                    directory + ": a checkpoint of entry " + index + " after that of entry " + newest.index());
        }
        writing = true;
        return newest;
    }

    synchronized void endWrite() {
        writing = false;
    }

    synchronized boolean isTrusted(CheckpointFile file) {
        return trusted.contains(file.number());
    }

    /** A number that no file has, or had in this process. */
    synchronized long newNumber() {
        return ++lastNumber;
    }

    /** A file that comes into being and is not to be deleted as unneeded. */
    synchronized void begin(String name, long number) {
        unfinished.add(name);
        present.put(name, number);
    }

    /** Deletes a file that came to nothing. */
    synchronized void discard(String name) {
        if (!unfinished.remove(name)) {
            return; // a manifest may name it
        }
        if (deleteQuietly(directory.resolve(name))) {
            present.remove(name);
        }
    }

    /**
     * Makes a checkpoint of files whose contents are durable.
     *
     * @return the checkpoint there is of its index, which is another one if there was one
     */
    synchronized CheckpointManifest publish(CheckpointManifest manifest) throws IOException {
        CheckpointManifest already = manifests.get(manifest.index());
        if (already != null) {
            return already;
        }
        Path temporary = directory.resolve(String.format("%016x", newNumber()) + CheckpointFormat.TEMPORARY_SUFFIX);
        byte[] bytes = manifest.encode();
        try {
            try (NodeFile file = files.openForWriting(temporary)) {
                ByteBuffer rest = ByteBuffer.wrap(bytes);
                while (rest.hasRemaining()) {
                    file.write(rest, rest.position());
                }
                file.force(true);
            }
            // The files' names first: a manifest must not be there without them.
            files.forceDirectory(directory);
            files.move(temporary, directory.resolve(manifest.name()));
        } catch (IOException e) {
            deleteQuietly(temporary);
            throw e;
        }
        // From here on it may be found after a crash, so its files must stay, whatever happens.
        damagedManifests.remove(manifest.index());
        for (CheckpointFile file : manifest.files()) {
            unfinished.remove(file.name());
            trusted.add(file.number());
        }
        manifests.put(manifest.index(), manifest);
        try {
            files.forceDirectory(directory);
        } catch (IOException e) {
            // Not known to be durable, so nothing may be deleted or forgotten for it.
            manifests.remove(manifest.index());
            damagedManifests.add(manifest.index());
            throw e;
        }
        return manifest;
    }

    /** False if it is still there; {@link #retain} tries again if it has contents, the next start in any case. */
    private boolean deleteQuietly(Path file) {
        try {
            if (files.exists(file)) {
                files.delete(file);
            }
            return true;
        } catch (IOException e) {
            LOG.debug("{}: left behind for now", file, e);
            return false;
        }
    }

    /** False if it is gone. */
    synchronized boolean hold(CheckpointManifest manifest) {
        CheckpointManifest here = manifests.get(manifest.index());
        long id = idOf(manifest);
        if ((here == null || idOf(here) != id) && !holds.containsKey(id)) {
            return false;
        }
        holds.merge(id, new Held(manifest, 1), (held, one) -> new Held(held.manifest(), held.count() + 1));
        return true;
    }

    synchronized void letGo(CheckpointManifest manifest) {
        holds.computeIfPresent(
                idOf(manifest), (id, held) -> held.count() == 1 ? null : new Held(held.manifest(), held.count() - 1));
    }

    private static long idOf(CheckpointManifest manifest) {
        for (CheckpointFile file : manifest.files()) {
            if (file.kind() == CheckpointFile.Kind.SESSIONS) {
                return file.number();
            }
        }
        throw new IllegalArgumentException("a checkpoint without sessions");
    }

    /** Manifests go first, durably: one without its files would look like damage. */
    synchronized void retain(int count) throws IOException {
        List<Long> doomed = new ArrayList<>();
        int kept = 0;
        for (CheckpointManifest manifest : manifests.descendingMap().values()) {
            if (kept++ >= count) {
                doomed.add(manifest.index());
            }
        }
        for (long index : damagedManifests) {
            if (!manifests.isEmpty() && manifests.lastKey() > index) {
                doomed.add(index);
            }
        }
        for (long index : doomed) {
            Path path = directory.resolve(CheckpointFormat.manifestName(index));
            if (files.exists(path)) {
                files.delete(path);
            }
            manifests.remove(index);
            damagedManifests.remove(index);
        }
        if (!doomed.isEmpty()) {
            files.forceDirectory(directory);
        }
        if (damagedManifests.isEmpty() && deleteUnneeded()) {
            files.forceDirectory(directory);
        }
    }

    /** Deletes the files that no checkpoint needs; whether there were any. */
    private boolean deleteUnneeded() throws IOException {
        Set<String> needed = new HashSet<>(unfinished);
        manifests.values().forEach(manifest -> addNames(manifest, needed));
        holds.values().forEach(held -> addNames(held.manifest(), needed));
        List<String> unneeded = new ArrayList<>(present.keySet());
        unneeded.removeAll(needed);
        unneeded.sort(Comparator.naturalOrder());
        for (String name : unneeded) {
            Path path = directory.resolve(name);
            if (files.exists(path)) {
                files.delete(path);
            }
            trusted.remove(present.remove(name));
        }
        return !unneeded.isEmpty();
    }

    private static void addNames(CheckpointManifest manifest, Set<String> names) {
        manifest.files().forEach(file -> names.add(file.name()));
    }

    synchronized void delete() throws IOException {
        List<String> names = new ArrayList<>(files.list(directory));
        // Manifests first, as above.
        names.sort(Comparator.comparing((String name) -> !name.endsWith(CheckpointFormat.MANIFEST_SUFFIX))
                .thenComparing(Comparator.naturalOrder()));
        boolean manifestsGone = false;
        for (String name : names) {
            if (!manifestsGone && !name.endsWith(CheckpointFormat.MANIFEST_SUFFIX)) {
                manifestsGone = true;
                files.forceDirectory(directory);
            }
            files.delete(directory.resolve(name));
        }
        manifests.clear();
        damagedManifests.clear();
        present.clear();
        files.delete(directory);
        Path parent = directory.getParent();
        if (parent != null) {
            files.forceDirectory(parent);
        }
    }

    private static boolean isContents(String name) {
        for (CheckpointFile.Kind kind : CheckpointFile.Kind.values()) {
            if (name.endsWith(kind.suffix) && hex(name, kind.suffix) != null) {
                return true;
            }
        }
        return false;
    }

    private static long numberOf(String name) {
        Long number = hex(name, name.substring(name.indexOf('.')));
        return number == null ? 0 : number;
    }

    private static @Nullable Long indexOf(String manifestName) {
        return hex(manifestName, CheckpointFormat.MANIFEST_SUFFIX);
    }

    private static @Nullable Long hex(String name, String suffix) {
        String digits = name.substring(0, name.length() - suffix.length());
        if (!digits.matches("[0-7][0-9a-f]{15}")) {
            return null;
        }
        return Long.parseLong(digits, 16);
    }
}
