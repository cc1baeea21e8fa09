package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.raft.core.EntryKind;
import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** Applies the records of a log that is read back to its groups. Not thread-safe. */
final class Replay {

    private final IntFunction<GroupLog> newGroup;
    private final boolean adrift;
    private final Map<Integer, GroupLog> groups = new HashMap<>();
    private @Nullable GroupLog lastGroup;

    // What the records of the node say.
    private long start = LogFormat.FIRST_SEGMENT;
    private byte mark = LogFormat.MARK_CLOSED;
    private String bootId = "";

    /**
     * @param newGroup the group of a number, empty
     * @param adrift whether the log is not read from its very beginning
     */
    Replay(IntFunction<GroupLog> newGroup, boolean adrift) {
        this.newGroup = newGroup;
        this.adrift = adrift;
    }

    /** The oldest segment that is needed, as far as the records say. */
    long start() {
        return start;
    }

    /** Whether the last thing written was that the log is closed: then nothing was being written any more. */
    boolean isClosed() {
        return mark == LogFormat.MARK_CLOSED;
    }

    /** Whether the last thing written was that the log goes on in another segment. */
    boolean isContinued() {
        return mark == LogFormat.MARK_CONTINUED;
    }

    /**
     * Whether what was written last was, perhaps, only in the memory of an operating system that does not run any more.
     *
     * @param currentBootId names the one that runs now; empty if that is not known
     */
    boolean isMemoryLost(String currentBootId) {
        return mark == LogFormat.MARK_OPENED_MEMORY && (bootId.isEmpty() || !bootId.equals(currentBootId));
    }

    Collection<GroupLog> groups() {
        return groups.values();
    }

    /**
     * Takes over the records of a frame that was checked.
     *
     * @param at where the frame begins
     * @param end where it ends
     * @throws LogFormatException if there is a record of a kind that is not known
     */
    void apply(FileWindow window, Path path, long sequence, long at, long end) throws IOException {
        long record = at + LogFormat.FRAME_HEADER_BYTES;
        while (record < end) {
            int header = window.find(record, LogFormat.RECORD_HEADER_BYTES);
            int length = window.buffer().getInt(header + 4);
            byte kind = window.buffer().get(header + 8);
            if (kind == LogFormat.RECORD_START || kind == LogFormat.RECORD_MARK) {
                node(window, path, record, header, kind, length);
            } else {
                group(window, path, sequence, record, header, kind, length);
            }
            record += LogFormat.recordBytes(length);
        }
    }

    private void node(FileWindow window, Path path, long record, int header, byte kind, int length) throws IOException {
        if (kind == LogFormat.RECORD_START) {
            start = Math.max(start, window.buffer().getLong(header + 16));
            return;
        }
        byte code = window.buffer().get(header + 9);
        if (code < LogFormat.MARK_OPENED_FSYNC || code > LogFormat.MARK_CONTINUED) {
            throw new LogFormatException(path, "the mark at offset " + record + " is of the unknown kind " + code);
        }
        mark = code;
        if (code == LogFormat.MARK_OPENED_FSYNC || code == LogFormat.MARK_OPENED_MEMORY) {
            bootId = new String(payload(window, record, length), StandardCharsets.UTF_8);
        }
    }

    private void group(FileWindow window, Path path, long sequence, long record, int header, byte kind, int length)
            throws IOException {
        ByteBuffer buffer = window.buffer();
        byte code = buffer.get(header + 9);
        GroupLog group = group(buffer.getInt(header + 12));
        long index = buffer.getLong(header + 16);
        long term = buffer.getLong(header + 24);
        long position = SparseIndex.position(sequence, record);
        String refusal = null;
        switch (kind) {
            case LogFormat.RECORD_ENTRY -> {
                EntryKind entryKind = entryKind(path, record, code);
                refusal = group.appended(index, term, position, LogFormat.recordBytes(length));
                if (entryKind == EntryKind.CONFIGURATION) {
                    group.configured(new LogEntry(index, term, entryKind, payload(window, record, length)));
                }
            }
            case LogFormat.RECORD_HARD_STATE -> {
                String vote = code == LogFormat.VOTE_PRESENT
                        ? new String(payload(window, record, length), StandardCharsets.UTF_8)
                        : null;
                refusal = group.persisted(new HardState(term, vote), position);
            }
            case LogFormat.RECORD_COMMIT -> group.committed(index, position);
            case LogFormat.RECORD_BASE ->
                refusal = group.based(index, term, code == LogFormat.BASE_REPLACES_ALL, position);
            case LogFormat.RECORD_REMOVED -> group.removed();
            case LogFormat.RECORD_MEMORY -> group.memory(code == LogFormat.MEMORY_LOST, position);
            default ->
                throw new LogFormatException(
                        path, "the record at offset " + record + " is of the unknown kind " + kind);
        }
        if (refusal != null) {
            throw new LogCorruptException(
                    path, record, "group " + group.groupId() + ": " + refusal, LogRecovery.REMEDY);
        }
    }

    private GroupLog group(int id) {
        GroupLog group = lastGroup;
        if (group == null || group.groupId() != id) {
            group = groups.computeIfAbsent(id, key -> {
                GroupLog made = newGroup.apply(key);
                if (adrift) {
                    made.setAdrift();
                }
                return made;
            });
            lastGroup = group;
        }
        return group;
    }

    private static byte[] payload(FileWindow window, long record, int length) throws IOException {
        byte[] payload = new byte[length];
        window.copy(record + LogFormat.RECORD_HEADER_BYTES, payload);
        return payload;
    }

    private static EntryKind entryKind(Path path, long record, byte code) {
        try {
            return EntryKind.ofCode(code);
        } catch (IllegalArgumentException e) {
            throw new LogFormatException(path, "the entry at offset " + record + " is of the unknown kind " + code);
        }
    }
}
