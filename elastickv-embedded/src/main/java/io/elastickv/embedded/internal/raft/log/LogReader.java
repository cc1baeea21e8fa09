package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import io.elastickv.embedded.internal.raft.core.EntryKind;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads durable entries on a thread of its own, also for callers that wait: an interrupt of a thread in the middle of a
 * read closes its {@code FileChannel}, and nobody interrupts this one.
 */
final class LogReader {

    private static final Logger LOG = LoggerFactory.getLogger(LogReader.class);
    private static final int MAX_OPEN_FILES = 8;

    private final NodeLogOptions options;
    private final NodeLog log;

    /** Null in stepped mode, where {@link #waiting} takes its place. */
    private final @Nullable ExecutorService executor;

    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private boolean steppedClosed;
    private volatile @Nullable Thread thread;

    // What follows is used by the reader thread only.
    private final FileWindow window;
    private final CRC32C crc = new CRC32C();
    private final Map<Long, NodeFile> openFiles = new LinkedHashMap<>(16, 0.75f, true);

    LogReader(NodeLogOptions options, NodeLog log) {
        this.options = options;
        this.log = log;
        window = new FileWindow(options.bufferBytes());
        executor = options.stepping() ? null : executor();
    }

    private ExecutorService executor() {
        return new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
            Thread reader = new Thread(task, "elastickv-" + options.nodeName() + "-log-reader");
            reader.setDaemon(true);
            thread = reader;
            return reader;
        });
    }

    /** Stepped mode: serves what was asked for before this call; false if nothing was. */
    boolean step() {
        boolean any = false;
        for (int count = waiting.size(); count > 0; count--) {
            Runnable task = waiting.poll();
            if (task == null) {
                break; // a callback waited for a read of its own, which served the others too
            }
            task.run();
            any = true;
        }
        return any;
    }

    /** Stepped mode: whether reads wait. */
    boolean hasWork() {
        return !waiting.isEmpty();
    }

    void read(GroupLog group, long from, long to, int maxEntries, long maxBytes, ReadCallback callback) {
        if (!execute(() -> serve(group, from, to, maxEntries, maxBytes, callback))) {
            callback.failed(log.closedException());
        }
    }

    /** False if the reader is closed. */
    private boolean execute(Runnable task) {
        if (executor == null) {
            return !steppedClosed && waiting.add(task);
        }
        try {
            executor.execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    List<LogEntry> readNow(GroupLog group, long from, long to, int maxEntries, long maxBytes) {
        CompletableFuture<List<LogEntry>> result = new CompletableFuture<>();
        read(group, from, to, maxEntries, maxBytes, new ReadCallback() {
            @Override
            public void entries(List<LogEntry> entries) {
                result.complete(entries);
            }

            @Override
            public void failed(Throwable cause) {
                result.completeExceptionally(cause);
            }
        });
        step();
        try {
            return result.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /** Serves what was asked for before, then ends. */
    void close() {
        if (executor == null) {
            step();
            steppedClosed = true;
            closeFiles();
            return;
        }
        executor.shutdown();
        boolean interrupted = false;
        try {
            if (Thread.currentThread() != thread && executor.awaitTermination(10, TimeUnit.SECONDS)) {
                closeFiles();
            } else {
                LOG.warn("the log's reader of node {} has not ended; its files stay open", options.nodeName());
            }
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void closeFiles() {
        openFiles.values().forEach(SegmentFiles::closeQuietly);
        openFiles.clear();
    }

    /** Any thread: segments before {@code start} are not read any more. */
    void forget(long start) {
        execute(() -> openFiles.entrySet().removeIf(entry -> {
            boolean freed = entry.getKey() < start;
            if (freed) {
                SegmentFiles.closeQuietly(entry.getValue());
            }
            return freed;
        }));
    }

    private void serve(GroupLog group, long from, long to, int maxEntries, long maxBytes, ReadCallback callback) {
        GroupLog.ReadPlan plan = null;
        List<LogEntry> entries;
        try {
            Throwable failure = log.failure();
            if (failure != null) {
                throw failure;
            }
            plan = group.plan(from, to, maxEntries);
            entries = plan == null ? List.of() : read(plan, maxBytes);
            requireThere(plan, group, from);
        } catch (Throwable e) {
            Throwable judged = judge(e, plan, group, from);
            call(() -> callback.failed(judged));
            return;
        }
        call(() -> callback.entries(entries));
    }

    /**
     * A segment may be freed and written again while it is read: then whatever was found counts for nothing. The log says so
     * before it touches the file, so this must be asked after the file was read.
     */
    private void requireThere(GroupLog.@Nullable ReadPlan plan, GroupLog group, long from) {
        if (plan != null && plan.firstSegment() < log.startSegment()) {
            throw group.gone(from);
        }
    }

    private Throwable judge(Throwable problem, GroupLog.@Nullable ReadPlan plan, GroupLog group, long from) {
        try {
            requireThere(plan, group, from);
        } catch (EntriesGoneException e) {
            return e;
        }
        if (problem instanceof LogException || problem instanceof Error) {
            log.poison(problem);
        }
        return problem;
    }

    private static void call(Runnable callback) {
        try {
            callback.run();
        } catch (Throwable e) {
            LOG.error("a callback of the log's reader threw", e);
        }
    }

    private List<LogEntry> read(GroupLog.ReadPlan plan, long maxBytes) {
        long[] indexes = plan.points().indexes();
        long[] positions = plan.points().positions();
        List<LogEntry> entries = new ArrayList<>();
        long bytes = 0;
        for (int point = 0; point < indexes.length; point++) {
            long sequence = SparseIndex.sequence(positions[point]);
            long offset = SparseIndex.offset(positions[point]);
            long end = point + 1 < indexes.length ? indexes[point + 1] : plan.to() + 1;
            Path path = options.directory().resolve(LogFormat.fileName(sequence));
            try {
                window.open(file(sequence, path));
                for (long index = indexes[point]; index < end; index++) {
                    offset = seek(plan.groupId(), sequence, path, offset);
                    if (index >= plan.from()) {
                        LogEntry entry = entry(sequence, path, offset, plan, index);
                        bytes += entry.payload().length;
                        if (bytes > maxBytes && !entries.isEmpty()) {
                            return entries;
                        }
                        entries.add(entry);
                    }
                    offset += length(path, offset);
                }
            } catch (IOException e) {
                throw new LogIoException(path, "reading", e);
            }
        }
        return entries;
    }

    /** The next entry of the group at or after {@code offset}. */
    private long seek(int groupId, long sequence, Path path, long offset) throws IOException {
        long at = offset;
        while (true) {
            int index = window.find(at, LogFormat.FRAME_HEADER_BYTES);
            if (index >= 0 && LogFormat.isFrameHeader(window.buffer(), index, sequence, at, crc)) {
                at += LogFormat.FRAME_HEADER_BYTES;
                continue;
            }
            long length = length(path, at);
            int record = window.find(at, LogFormat.RECORD_HEADER_BYTES);
            ByteBuffer buffer = window.buffer();
            if (buffer.get(record + 8) == LogFormat.RECORD_ENTRY && buffer.getInt(record + 12) == groupId) {
                return at;
            }
            at += length;
        }
    }

    /** The length of the record at {@code offset}, checked only as far as it must be to go on. */
    private long length(Path path, long offset) throws IOException {
        int record = window.find(offset, LogFormat.RECORD_HEADER_BYTES);
        if (record < 0) {
            throw corrupt(path, offset, "the file ends where an entry was written");
        }
        int payload = window.buffer().getInt(record + 4);
        byte kind = window.buffer().get(record + 8);
        if (payload < 0
                || payload > LogFormat.MAX_RECORD_BYTES
                || kind < LogFormat.RECORD_ENTRY
                || kind > LogFormat.RECORD_MARK) {
            throw corrupt(path, offset, "no record is where one was written");
        }
        return LogFormat.recordBytes(payload);
    }

    private LogEntry entry(long sequence, Path path, long offset, GroupLog.ReadPlan plan, long index)
            throws IOException {
        int record = window.find(offset, LogFormat.RECORD_HEADER_BYTES);
        ByteBuffer buffer = window.buffer();
        int expectedCrc = buffer.getInt(record);
        int length = buffer.getInt(record + 4);
        byte kindCode = buffer.get(record + 9);
        long foundIndex = buffer.getLong(record + 16);
        long term = buffer.getLong(record + 24);
        if (foundIndex != index || term != plan.terms().termAt(index)) {
            throw corrupt(
                    path,
                    offset,
                    "expected entry " + index + " of term " + plan.terms().termAt(index) + " of group " + plan.groupId()
                            + ", found entry " + foundIndex + " of term " + term);
        }
        if (length > options.bufferBytes()
                && offset + length > file(sequence, path).size()) {
            // asked before so much is allocated
            throw corrupt(path, offset, "the file ends within entry " + index + " of group " + plan.groupId());
        }
        crc.reset();
        crc.update(
                buffer.duplicate().limit(record + LogFormat.RECORD_HEADER_BYTES).position(record + 4));
        byte[] payload = new byte[length];
        if (!window.copy(offset + LogFormat.RECORD_HEADER_BYTES, payload)) {
            throw corrupt(path, offset, "the file ends within entry " + index + " of group " + plan.groupId());
        }
        crc.update(payload);
        if (((int) crc.getValue() ^ LogFormat.recordMask(log.salt(sequence))) != expectedCrc) {
            throw corrupt(path, offset, "the checksum of entry " + index + " of group " + plan.groupId() + " is wrong");
        }
        return new LogEntry(index, term, EntryKind.ofCode(kindCode), payload); // recovery knew the kind
    }

    private static LogCorruptException corrupt(Path path, long offset, String what) {
        return new LogCorruptException(path, offset, what + ", although it was durable", LogRecovery.REMEDY);
    }

    private NodeFile file(long sequence, Path path) throws IOException {
        NodeFile file = openFiles.get(sequence);
        if (file == null) {
            if (openFiles.size() >= MAX_OPEN_FILES) {
                Long eldest = openFiles.keySet().iterator().next();
                NodeFile closing = openFiles.remove(eldest);
                if (closing != null) {
                    SegmentFiles.closeQuietly(closing);
                }
            }
            file = options.files().openForReading(path);
            openFiles.put(sequence, file);
        }
        return file;
    }
}
