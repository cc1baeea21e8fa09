package io.elastickv.embedded.internal.simulation;

import io.elastickv.embedded.internal.files.NodeFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * The disk of one node. What was not synced may be lost in a power cut: contents sector by sector, lengths, names. An
 * operation can fail, or be the last one before a crash and then be done by half. Copies nothing but sectors about to be
 * overwritten: {@code FaultyFiles} is simpler, this one is for millions of operations. For one thread.
 */
final class SimulatedDisk implements NodeFiles {

    /** What a power cut does to what was not synced. */
    enum Unsynced {
        LOST,
        KEPT,
        SOME
    }

    /** The mistakes of a disk, or of what lies between the log and the disk, that a mutation can ask for. */
    enum Lie {
        NONE,
        /** Syncs do nothing. */
        NO_SYNC,
        /** A sync is done a little after it has returned. */
        LATE_SYNC,
        /** An operation that fails says that it has succeeded. */
        ERRORS_SWALLOWED
    }

    private Map<Path, SimulatedFile> names = new LinkedHashMap<>();
    private Map<Path, SimulatedFile> durableNames = new LinkedHashMap<>();
    private Set<Path> directories = new LinkedHashSet<>();
    private Set<Path> durableDirectories = new LinkedHashSet<>();

    private final SplittableRandom random;
    Lie lie = Lie.NONE;
    /** Files whose syncs have returned and are not done yet: {@link Lie#LATE_SYNC}. */
    private final Set<SimulatedFile> late = new LinkedHashSet<>();

    /** Changing operations until one fails or the process crashes in it; below zero: never. */
    private int untilFault = -1;

    private boolean faultIsCrash;
    private int readsUntilFault = -1;
    private boolean crashed;
    private boolean full;
    private boolean shortWrites;

    /** An error was handed to whoever used the disk since {@link #forgetFault()}; null if none. */
    @Nullable
    String faultMet;

    long operations;

    SimulatedDisk(SplittableRandom random) {
        this.random = random;
    }

    // ---- for the simulation

    /** A directory that is there for good. */
    void makeDirectory(Path directory) {
        for (Path path = directory; path != null; path = path.getParent()) {
            directories.add(path);
            durableDirectories.add(path);
        }
    }

    /** After {@code operations} more changes, one fails. */
    void failIn(int changes) {
        untilFault = changes;
        faultIsCrash = false;
    }

    void failReadIn(int reads) {
        readsUntilFault = reads;
    }

    /** After {@code operations} more changes, one is done by half and nothing works any more. */
    void crashIn(int changes) {
        untilFault = changes;
        faultIsCrash = true;
    }

    void setFull(boolean value) {
        full = value;
    }

    void setShortWrites(boolean value) {
        shortWrites = value;
    }

    boolean hasCrashed() {
        return crashed;
    }

    /** What was to fail does not. */
    void disarm() {
        untilFault = -1;
        readsUntilFault = -1;
    }

    void forgetFault() {
        faultMet = null;
        disarm();
    }

    /** The process died, and with it the crash that was planned; what it wrote is in the page cache. */
    void kill() {
        crashed = false;
        if (faultIsCrash) {
            untilFault = -1;
        }
    }

    /** The power went and came back. */
    void powerCut(Unsynced unsynced) {
        kill();
        late.clear();
        Set<Path> keptDirectories = new LinkedHashSet<>(durableDirectories);
        Map<Path, SimulatedFile> kept = new LinkedHashMap<>(durableNames);
        if (unsynced == Unsynced.KEPT) {
            keptDirectories = new LinkedHashSet<>(directories);
            kept = new LinkedHashMap<>(names);
        } else if (unsynced == Unsynced.SOME) {
            for (Path directory : directories) {
                if (random.nextBoolean()) {
                    keptDirectories.add(directory);
                }
            }
            for (Map.Entry<Path, SimulatedFile> entry : names.entrySet()) {
                if (random.nextBoolean()) {
                    // A new name takes the place of the old one in one step.
                    kept.values().removeIf(file -> file == entry.getValue());
                    kept.put(entry.getKey(), entry.getValue());
                }
            }
        }
        Set<Path> reachable = keptDirectories;
        kept.keySet().removeIf(path -> !isReachable(path, reachable));
        keptDirectories.removeIf(path -> !isReachable(path, reachable));
        for (SimulatedFile file : new LinkedHashSet<>(kept.values())) {
            file.powerCut(unsynced, random);
        }
        names = kept;
        durableNames = new LinkedHashMap<>(kept);
        directories = keptDirectories;
        durableDirectories = new LinkedHashSet<>(keptDirectories);
    }

    private static boolean isReachable(Path path, Set<Path> directories) {
        for (Path parent = path.getParent(); parent != null; parent = parent.getParent()) {
            if (!directories.contains(parent)) {
                return false;
            }
        }
        return true;
    }

    /** All is gone, as with a new disk. */
    void wipe(Path... keep) {
        names.clear();
        durableNames.clear();
        directories.clear();
        durableDirectories.clear();
        late.clear();
        crashed = false;
        full = false;
        forgetFault();
        for (Path directory : keep) {
            makeDirectory(directory);
        }
    }

    /**
     * Flips a bit of a file, durably; not within the last write to it, which nobody can tell from a torn one.
     *
     * @param below where the file is
     * @return where; null if there is no such file
     */
    @Nullable
    String flip(Path below) {
        List<Path> candidates = new ArrayList<>();
        for (Map.Entry<Path, SimulatedFile> entry : names.entrySet()) {
            if (entry.getKey().startsWith(below) && entry.getValue().flippable() > 0) {
                candidates.add(entry.getKey());
            }
        }
        if (candidates.isEmpty()) {
            return null;
        }
        candidates.sort(null);
        Path path = candidates.get(random.nextInt(candidates.size()));
        return path + " at " + file(path).flip(random);
    }

    private SimulatedFile file(Path path) {
        SimulatedFile file = names.get(path);
        if (file == null) {
            throw new IllegalStateException(path + " is missing");
        }
        return file;
    }

    long usedBytes() {
        long sum = 0;
        for (SimulatedFile file : names.values()) {
            sum += file.size();
        }
        return sum;
    }

    Set<Path> files() {
        return names.keySet();
    }

    // ---- NodeFiles

    @Override
    public void createDirectories(Path directory) throws IOException {
        alive();
        for (Path path = directory; path != null; path = path.getParent()) {
            directories.add(path);
        }
    }

    @Override
    public List<String> list(Path directory) throws IOException {
        alive();
        if (!directories.contains(directory)) {
            throw new NoSuchFileException(directory.toString());
        }
        List<String> result = new ArrayList<>();
        for (Path path : names.keySet()) {
            if (directory.equals(path.getParent())) {
                result.add(path.getFileName().toString());
            }
        }
        for (Path path : directories) {
            if (directory.equals(path.getParent())) {
                result.add(path.getFileName().toString());
            }
        }
        return result;
    }

    @Override
    public NodeFile openForWriting(Path path) throws IOException {
        alive();
        SimulatedFile file = names.get(path);
        if (file == null) {
            if (!directories.contains(path.getParent())) {
                throw new NoSuchFileException(path.toString());
            }
            boolean swallowed = change();
            file = new SimulatedFile();
            if (!swallowed) {
                names.put(path, file);
            }
            crashIfDue();
        }
        return new OpenFile(file);
    }

    @Override
    public NodeFile openForReading(Path path) throws IOException {
        alive();
        SimulatedFile file = names.get(path);
        if (file == null) {
            throw new NoSuchFileException(path.toString());
        }
        return new OpenFile(file);
    }

    @Override
    public void delete(Path path) throws IOException {
        alive();
        if (!names.containsKey(path) && !directories.contains(path)) {
            throw new NoSuchFileException(path.toString());
        }
        if (directories.contains(path) && !list(path).isEmpty()) {
            throw new DirectoryNotEmptyException(path.toString());
        }
        if (!change()) {
            names.remove(path);
            directories.remove(path);
        }
        crashIfDue();
    }

    @Override
    public void move(Path path, Path target) throws IOException {
        alive();
        SimulatedFile file = names.get(path);
        if (file == null) {
            throw new NoSuchFileException(path.toString());
        }
        if (!change()) {
            names.remove(path);
            names.put(target, file);
        }
        crashIfDue();
    }

    @Override
    public boolean exists(Path path) throws IOException {
        alive();
        return names.containsKey(path) || directories.contains(path);
    }

    @Override
    public void forceDirectory(Path directory) throws IOException {
        boolean swallowed = change();
        boolean last = crashDue();
        if (lie != Lie.NO_SYNC && !swallowed && (!last || random.nextBoolean())) {
            durableNames.keySet().removeIf(path -> directory.equals(path.getParent()));
            durableDirectories.removeIf(path -> directory.equals(path.getParent()));
            names.forEach((path, file) -> {
                if (directory.equals(path.getParent())) {
                    durableNames.put(path, file);
                }
            });
            for (Path path : directories) {
                if (directory.equals(path.getParent())) {
                    durableDirectories.add(path);
                }
            }
        }
        crashIfDue();
    }

    // ---- faults

    /** Counts a change; true if it is to be left out though its caller is told that it was done. */
    private boolean change() throws IOException {
        alive();
        operations++;
        if (untilFault > 0) {
            untilFault--;
        } else if (untilFault == 0 && !faultIsCrash) {
            untilFault = -1;
            return error("injected I/O error");
        }
        return false;
    }

    private boolean error(String message) throws IOException {
        faultMet = message;
        if (lie == Lie.ERRORS_SWALLOWED) {
            return true;
        }
        throw new IOException(message);
    }

    private boolean crashDue() {
        return untilFault == 0 && faultIsCrash;
    }

    private void crashIfDue() throws IOException {
        if (crashDue()) {
            crashed = true;
            alive();
        }
    }

    private void alive() throws IOException {
        if (crashed) {
            throw new IOException("the process is dead");
        }
    }

    /** Does the syncs that have returned already: {@link Lie#LATE_SYNC}. */
    void catchUp() {
        late.forEach(SimulatedFile::force);
        late.clear();
    }

    private final class OpenFile implements NodeFile {

        private final SimulatedFile file;

        OpenFile(SimulatedFile file) {
            this.file = file;
        }

        @Override
        public int read(ByteBuffer target, long position) throws IOException {
            alive();
            if (readsUntilFault >= 0 && readsUntilFault-- == 0) {
                faultMet = "injected read error";
                throw new IOException(faultMet);
            }
            return file.read(target, position);
        }

        @Override
        public int write(ByteBuffer source, long position) throws IOException {
            int length = source.remaining();
            if (full && position + length > file.size()) {
                error("No space left on device");
                source.position(source.limit());
                return length;
            }
            boolean swallowed = change();
            if (crashDue()) {
                length = random.nextInt(length + 1);
            } else if (shortWrites && length > 1 && random.nextInt(8) == 0) {
                length = 1 + random.nextInt(length);
            }
            if (swallowed) {
                source.position(source.position() + length);
            } else {
                file.write(source, length, position);
            }
            crashIfDue();
            return length;
        }

        @Override
        public void force(boolean metadata) throws IOException {
            boolean swallowed;
            try {
                swallowed = change();
            } catch (IOException e) {
                // The kernel takes what it could not write for written (Rebello et al., ATC 2020): a later sync
                // succeeds.
                file.forgetDirty(random);
                throw e;
            }
            if (crashDue()) {
                file.halfForce(random);
            } else if (lie == Lie.LATE_SYNC) {
                late.add(file);
            } else if (lie != Lie.NO_SYNC && !swallowed) {
                file.force();
            }
            crashIfDue();
        }

        @Override
        public long size() throws IOException {
            alive();
            return file.size();
        }

        @Override
        public void close() {}
    }
}
