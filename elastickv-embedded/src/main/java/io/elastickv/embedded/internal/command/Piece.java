package io.elastickv.embedded.internal.command;

import java.util.ArrayList;
import java.util.List;

/**
 * What goes from one shard to another with some slots: the entries, and what is remembered of sessions, so that a retry is
 * answered by the new owner as the old one would have.
 *
 * @param logTimeMillis the log's time of the old owner: what was expired there stays so
 * @param versionFloor no version that the old owner gave in these slots is larger
 * @param entries of these slots, those left out that were expired
 * @param sessions all of the old owner
 */
public record Piece(long logTimeMillis, long versionFloor, List<Entry> entries, List<Session> sessions) {

    /** An entry. */
    public record Entry(byte[] key, StoredValue value) {

        /** About how many bytes it takes here. */
        public int size() {
            return ByteWriter.sizeOfBytes(key) + value.size();
        }
    }

    /** A result that is remembered. */
    public record Result(long sequence, CommandResult result) {

        int size() {
            return ByteWriter.sizeOfVarint(sequence) + 1 + result.bodySize();
        }
    }

    /**
     * A session.
     *
     * @param id its id
     * @param lastUseMillis when it was used last, by the log's time
     * @param floor smaller sequences are forgotten
     * @param results in the order of their sequences
     */
    public record Session(long id, long lastUseMillis, long floor, List<Result> results) {

        /** Copies the list. */
        public Session {
            results = List.copyOf(results);
        }

        /** About how many bytes it takes here. */
        public int size() {
            int size = ByteWriter.sizeOfVarint(id)
                    + ByteWriter.sizeOfVarint(lastUseMillis)
                    + ByteWriter.sizeOfVarint(floor)
                    + ByteWriter.sizeOfVarint(results.size());
            for (Result result : results) {
                size = Math.addExact(size, result.size());
            }
            return size;
        }
    }

    /** Copies the lists. */
    public Piece {
        entries = List.copyOf(entries);
        sessions = List.copyOf(sessions);
    }

    int size() {
        int size = ByteWriter.sizeOfVarint(logTimeMillis)
                + ByteWriter.sizeOfVarint(versionFloor)
                + ByteWriter.sizeOfVarint(entries.size())
                + ByteWriter.sizeOfVarint(sessions.size());
        for (Entry entry : entries) {
            size = Math.addExact(size, entry.size());
        }
        for (Session session : sessions) {
            size = Math.addExact(size, session.size());
        }
        return size;
    }

    void write(ByteWriter out) {
        out.putVarint(logTimeMillis);
        out.putVarint(versionFloor);
        out.putVarint(entries.size());
        for (Entry entry : entries) {
            out.putBytes(entry.key());
            entry.value().write(out);
        }
        out.putVarint(sessions.size());
        for (Session session : sessions) {
            out.putVarint(session.id());
            out.putVarint(session.lastUseMillis());
            out.putVarint(session.floor());
            out.putVarint(session.results().size());
            for (Result result : session.results()) {
                out.putVarint(result.sequence());
                out.putByte(result.result().type());
                result.result().writeBody(out);
            }
        }
    }

    static Piece read(ByteReader in) {
        long logTimeMillis = in.getVarint();
        long versionFloor = in.getVarint();
        List<Entry> entries = new ArrayList<>();
        for (int count = in.getCount(4); count > 0; count--) {
            entries.add(new Entry(in.getKey(), StoredValue.read(in)));
        }
        List<Session> sessions = new ArrayList<>();
        for (int count = in.getCount(4); count > 0; count--) {
            sessions.add(readSession(in));
        }
        return new Piece(logTimeMillis, versionFloor, entries, sessions);
    }

    private static Session readSession(ByteReader in) {
        long id = in.getVarint();
        long lastUseMillis = in.getVarint();
        long floor = in.getVarint();
        List<Result> results = new ArrayList<>();
        long least = floor;
        for (int count = in.getCount(2); count > 0; count--) {
            long sequence = in.getVarint();
            if (sequence < least) {
                throw new MalformedCommandException("results of session " + id + " are out of order");
            }
            least = sequence + 1;
            results.add(new Result(sequence, CommandResult.read(in)));
        }
        return new Session(id, lastUseMillis, floor, results);
    }
}
