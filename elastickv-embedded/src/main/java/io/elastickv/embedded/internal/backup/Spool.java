package io.elastickv.embedded.internal.backup;

import io.elastickv.embedded.internal.files.NodeFiles;
import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A shard's blocks on the leader's disk until they are fetched: so the replica has to hold the state still only for as
 * long as its own disk takes, however slow the node that exports. Never synced: it does not outlive the process. For one thread.
 */
final class Spool implements AutoCloseable {

    /** So much at most leaves at once, but for a single larger block. */
    private static final int FETCH_BYTES = 1 << 20;

    private record Place(long offset, int length, int entries, int crc) {}

    private final NodeFiles files;
    private final Path path;
    private final NodeFile file;
    private final List<Place> places = new ArrayList<>();
    private long end;
    private long entries;
    private boolean closed;

    private Spool(NodeFiles files, Path path, NodeFile file) {
        this.files = files;
        this.path = path;
        this.file = file;
    }

    static Spool create(NodeFiles files, Path path) throws IOException {
        return new Spool(files, path, files.openForWriting(path));
    }

    void add(EntryBlock block) throws IOException {
        ByteBuffer bytes = block.payload().duplicate().position(0);
        places.add(new Place(end, bytes.remaining(), block.entries(), block.crc()));
        while (bytes.hasRemaining()) {
            end += file.write(bytes, end);
        }
        entries += block.entries();
    }

    long blocks() {
        return places.size();
    }

    long entries() {
        return entries;
    }

    /** Blocks from number {@code first} on, as many as are there and shall leave at once. */
    List<EntryBlock> read(long first) throws IOException {
        List<EntryBlock> blocks = new ArrayList<>();
        int bytes = 0;
        for (long i = Math.max(0, first); i < places.size(); i++) {
            Place place = places.get((int) i);
            if (!blocks.isEmpty() && bytes + place.length > FETCH_BYTES) {
                break;
            }
            bytes += place.length;
            blocks.add(new EntryBlock(place.entries, place.crc, read(place)));
        }
        return blocks;
    }

    private ByteBuffer read(Place place) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(place.length);
        while (bytes.hasRemaining()) {
            if (file.read(bytes, place.offset + bytes.position()) < 0) {
                throw new IOException(path + " was cut short at " + (place.offset + bytes.position()));
            }
        }
        return bytes.flip();
    }

    /** Deletes the file. Idempotent. */
    @Override
    public void close() throws IOException {
        if (!closed) {
            closed = true;
            try {
                file.close();
            } finally {
                files.delete(path);
            }
        }
    }
}
