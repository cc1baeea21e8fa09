package io.elastickv.embedded.internal.raft;

import io.elastickv.embedded.internal.files.NodeFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/** Real files whose syncs wait while the gate is shut, and fail once the disk is broken. */
final class GatedFiles implements NodeFiles {

    private final NodeFiles files = NodeFiles.system();
    private boolean shut;
    private boolean broken;
    private boolean waiting;

    synchronized void shut() {
        shut = true;
    }

    synchronized void open() {
        shut = false;
        notifyAll();
    }

    synchronized void breakDown() {
        broken = true;
        notifyAll();
    }

    /** Whether a sync stands at the gate. */
    synchronized boolean hasWaiting() {
        return waiting;
    }

    private synchronized void pass() throws IOException {
        while (shut && !broken) {
            try {
                waiting = true;
                wait();
            } catch (InterruptedException e) {
                throw new IOException("interrupted", e);
            } finally {
                waiting = false;
            }
        }
        if (broken) {
            throw new IOException("the disk is broken");
        }
    }

    @Override
    public void createDirectories(Path directory) throws IOException {
        files.createDirectories(directory);
    }

    @Override
    public List<String> list(Path directory) throws IOException {
        return files.list(directory);
    }

    @Override
    public NodeFile openForWriting(Path file) throws IOException {
        return new GatedFile(files.openForWriting(file));
    }

    @Override
    public NodeFile openForReading(Path file) throws IOException {
        return files.openForReading(file);
    }

    @Override
    public void delete(Path file) throws IOException {
        files.delete(file);
    }

    @Override
    public void move(Path file, Path target) throws IOException {
        files.move(file, target);
    }

    @Override
    public boolean exists(Path path) throws IOException {
        return files.exists(path);
    }

    @Override
    public void forceDirectory(Path directory) throws IOException {
        files.forceDirectory(directory);
    }

    private final class GatedFile implements NodeFile {

        private final NodeFile file;

        GatedFile(NodeFile file) {
            this.file = file;
        }

        @Override
        public int read(ByteBuffer target, long position) throws IOException {
            return file.read(target, position);
        }

        @Override
        public int write(ByteBuffer source, long position) throws IOException {
            return file.write(source, position);
        }

        @Override
        public void force(boolean metadata) throws IOException {
            pass();
            file.force(metadata);
        }

        @Override
        public long size() throws IOException {
            return file.size();
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
