package io.elastickv.embedded.internal.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * A file system in memory that forgets like a real one: what was not synced may or may not be there after a power cut,
 * sector by sector, and so may names of files. Any operation can be made to fail, or to be the last one. Thread-safe.
 */
public final class FaultyFiles implements NodeFiles {

    private static final int SECTOR = 512;

    /** What a power cut does to writes that were not synced. */
    public enum Unsynced {
        LOST,
        KEPT,
        SOME
    }

    private static final class Inode {
        byte[] content = new byte[0];
        byte[] durable = new byte[0];

        /** Sectors to be written by the next sync. A failed one forgets them, as Linux does. */
        final BitSet dirty = new BitSet();

        void force() {
            durable = Arrays.copyOf(durable, content.length);
            for (int i = dirty.nextSetBit(0); i >= 0; i = dirty.nextSetBit(i + 1)) {
                int from = i * SECTOR;
                System.arraycopy(content, from, durable, from, Math.min(SECTOR, content.length - from));
            }
            dirty.clear();
        }
    }

    private Map<Path, Inode> names = new LinkedHashMap<>();
    private Map<Path, Inode> durableNames = new LinkedHashMap<>();

    /** Counts what changes anything: creation, write, force, delete. */
    private int operations;

    private int faultAt = -1;
    private boolean crashes;
    private boolean crashed;
    private Supplier<IOException> fault = () -> new IOException("injected");
    private int maxWriteBytes = Integer.MAX_VALUE;
    private long freeBytes = Long.MAX_VALUE;
    private Runnable beforeForce = () -> {};
    private Runnable beforeRead = () -> {};
    private Random random = new Random(0);

    /** The operation {@code number} (from 0) from now on fails, once. */
    public synchronized FaultyFiles failAt(int number, Supplier<IOException> exception) {
        faultAt = operations + number;
        fault = exception;
        crashes = false;
        return this;
    }

    /** The operation {@code number} (from 0) from now on is done by half, and nothing works after it. */
    public synchronized FaultyFiles crashAt(int number, Random howFar) {
        faultAt = operations + number;
        crashes = true;
        random = howFar;
        return this;
    }

    public synchronized FaultyFiles maxWriteBytes(int bytes) {
        maxWriteBytes = bytes;
        return this;
    }

    /** So many bytes can be allocated from now on. */
    public synchronized FaultyFiles freeBytes(long bytes) {
        freeBytes = bytes;
        return this;
    }

    /** Runs before each sync, without any lock. */
    public synchronized FaultyFiles beforeForce(Runnable action) {
        beforeForce = action;
        return this;
    }

    /** Runs before each read, without any lock. */
    public synchronized FaultyFiles beforeRead(Runnable action) {
        beforeRead = action;
        return this;
    }

    public synchronized int operations() {
        return operations;
    }

    public synchronized boolean hasCrashed() {
        return crashed;
    }

    /** What is there after the power is back. */
    public synchronized FaultyFiles afterPowerCut(Unsynced unsynced, Random seed) {
        FaultyFiles next = new FaultyFiles();
        Map<Path, Inode> all = new TreeMap<>(durableNames);
        if (unsynced == Unsynced.KEPT) {
            all = new TreeMap<>(names);
        } else if (unsynced == Unsynced.SOME) {
            for (Map.Entry<Path, Inode> entry : names.entrySet()) {
                if (seed.nextBoolean()) {
                    all.put(entry.getKey(), entry.getValue());
                }
            }
        }
        all.forEach((path, inode) -> {
            Inode survivor = new Inode();
            survivor.content = content(inode, unsynced, seed);
            survivor.durable = survivor.content.clone();
            next.names.put(path, survivor);
        });
        next.durableNames = new LinkedHashMap<>(next.names);
        return next;
    }

    /** What is there after the process died: all that was written. */
    public synchronized FaultyFiles afterKill() {
        FaultyFiles next = new FaultyFiles();
        Map<Inode, Inode> copies = new LinkedHashMap<>();
        names.forEach((path, inode) -> next.names.put(path, copies.computeIfAbsent(inode, FaultyFiles::copy)));
        durableNames.forEach(
                (path, inode) -> next.durableNames.put(path, copies.computeIfAbsent(inode, FaultyFiles::copy)));
        return next;
    }

    private static Inode copy(Inode inode) {
        Inode copy = new Inode();
        copy.content = inode.content.clone();
        copy.durable = inode.durable.clone();
        copy.dirty.or(inode.dirty);
        return copy;
    }

    private static byte[] content(Inode inode, Unsynced unsynced, Random seed) {
        if (unsynced == Unsynced.LOST) {
            return inode.durable.clone();
        }
        if (unsynced == Unsynced.KEPT) {
            return inode.content.clone();
        }
        int shorter = Math.min(inode.durable.length, inode.content.length);
        int longer = Math.max(inode.durable.length, inode.content.length);
        int sizes = seed.nextInt(3);
        int size = sizes == 0 ? shorter : sizes == 1 ? longer : shorter + seed.nextInt(longer - shorter + 1);
        byte[] result = Arrays.copyOf(inode.durable, size);
        int odds = 1 + seed.nextInt(9);
        for (int at = 0; at < size; at += SECTOR) {
            if (seed.nextInt(10) < odds) {
                for (int i = at; i < Math.min(size, at + SECTOR); i++) {
                    result[i] = i < inode.content.length ? inode.content[i] : 0;
                }
            }
        }
        return result;
    }

    public synchronized byte[] content(Path file) {
        return names.get(file).content.clone();
    }

    /** Replaces the content of {@code file}, durably. */
    public synchronized FaultyFiles put(Path file, byte[] content) {
        Inode inode = new Inode();
        inode.content = content.clone();
        inode.durable = content.clone();
        names.put(file, inode);
        durableNames.put(file, inode);
        return this;
    }

    public synchronized FaultyFiles remove(Path file) {
        names.remove(file);
        durableNames.remove(file);
        return this;
    }

    public synchronized List<Path> files() {
        return names.keySet().stream().sorted().toList();
    }

    @Override
    public void createDirectories(Path directory) {}

    @Override
    public synchronized List<String> list(Path directory) throws IOException {
        alive();
        List<String> result = new ArrayList<>();
        for (Path path : names.keySet()) {
            if (directory.equals(path.getParent())) {
                result.add(path.getFileName().toString());
            }
        }
        return result;
    }

    @Override
    public synchronized NodeFile openForWriting(Path file) throws IOException {
        alive();
        Inode inode = names.get(file);
        if (inode == null) {
            boolean last = countOperation();
            inode = new Inode();
            names.put(file, inode);
            crash(last);
        }
        return new MemoryFile(inode);
    }

    @Override
    public synchronized NodeFile openForReading(Path file) throws IOException {
        alive();
        Inode inode = names.get(file);
        if (inode == null) {
            throw new NoSuchFileException(file.toString());
        }
        return new MemoryFile(inode);
    }

    @Override
    public synchronized void delete(Path file) throws IOException {
        boolean last = countOperation();
        names.remove(file);
        crash(last);
    }

    @Override
    public synchronized void move(Path file, Path target) throws IOException {
        boolean last = countOperation();
        Inode inode = names.remove(file);
        if (inode == null) {
            throw new NoSuchFileException(file.toString());
        }
        names.put(target, inode);
        crash(last);
    }

    @Override
    public synchronized boolean exists(Path path) throws IOException {
        alive();
        return names.keySet().stream().anyMatch(file -> file.startsWith(path));
    }

    @Override
    public void forceDirectory(Path directory) throws IOException {
        forceHook().run();
        synchronized (this) {
            boolean last = countOperation();
            if (!last || random.nextBoolean()) {
                durableNames.keySet().removeIf(file -> directory.equals(file.getParent()));
                names.forEach((file, inode) -> {
                    if (directory.equals(file.getParent())) {
                        durableNames.put(file, inode);
                    }
                });
            }
            crash(last);
        }
    }

    private synchronized Runnable readHook() {
        return beforeRead;
    }

    private synchronized Runnable forceHook() {
        return beforeForce;
    }

    /** True if this operation is the one to crash in. */
    private boolean countOperation() throws IOException {
        alive();
        boolean hit = operations++ == faultAt;
        if (hit && !crashes) {
            throw fault.get();
        }
        return hit;
    }

    private void crash(boolean now) throws IOException {
        if (now) {
            crashed = true;
            alive();
        }
    }

    private void alive() throws IOException {
        if (crashed) {
            throw new IOException("the power is cut");
        }
    }

    private final class MemoryFile implements NodeFile {

        private final Inode inode;

        MemoryFile(Inode inode) {
            this.inode = inode;
        }

        @Override
        public int read(ByteBuffer target, long position) throws IOException {
            readHook().run();
            synchronized (FaultyFiles.this) {
                alive();
                if (position >= inode.content.length) {
                    return -1;
                }
                int length = (int) Math.min(target.remaining(), inode.content.length - position);
                target.put(inode.content, (int) position, length);
                return length;
            }
        }

        @Override
        public int write(ByteBuffer source, long position) throws IOException {
            synchronized (FaultyFiles.this) {
                boolean last = countOperation();
                int length = Math.min(source.remaining(), maxWriteBytes);
                if (last) {
                    length = random.nextInt(length + 1);
                }
                int end = (int) position + length;
                if (end > inode.content.length) {
                    if (end - inode.content.length > freeBytes) {
                        throw new IOException("No space left on device");
                    }
                    freeBytes -= end - inode.content.length;
                    inode.content = Arrays.copyOf(inode.content, end);
                }
                source.get(inode.content, (int) position, length);
                if (length > 0) {
                    inode.dirty.set((int) position / SECTOR, (end - 1) / SECTOR + 1);
                }
                crash(last);
                return length;
            }
        }

        @Override
        public void force(boolean metadata) throws IOException {
            forceHook().run();
            synchronized (FaultyFiles.this) {
                boolean last;
                try {
                    last = countOperation();
                } catch (IOException e) {
                    inode.dirty.clear();
                    throw e;
                }
                if (last) {
                    inode.durable = content(inode, Unsynced.SOME, random);
                } else {
                    inode.force();
                }
                crash(last);
            }
        }

        @Override
        public long size() throws IOException {
            synchronized (FaultyFiles.this) {
                alive();
                return inode.content.length;
            }
        }

        @Override
        public void close() {}
    }
}
