package io.elastickv.embedded.internal.backup;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.BackupInfo;
import io.elastickv.api.Batch;
import io.elastickv.api.BatchResult;
import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.Expiry;
import io.elastickv.api.ImportMode;
import io.elastickv.api.ImportResult;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.KeySlot;
import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.api.PutOptions;
import io.elastickv.api.ScanCursor;
import io.elastickv.api.ScanPage;
import io.elastickv.api.UnsafeBytes;
import io.elastickv.api.WriteResult;
import io.elastickv.embedded.internal.files.NodeFiles;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Verifies a backup, then writes its entries as ordinary batches, many at the same time, each again and again until it is
 * acknowledged: to write an entry twice does no harm. For one thread.
 */
final class Importer {

    private static final Logger LOG = LoggerFactory.getLogger(Importer.class);

    /** Entries are gathered up to here, so that many of one slot leave together. */
    private static final int GATHER_BYTES = 4 << 20;

    private static final int BATCH_BYTES = 256 << 10;
    private static final int BATCH_ENTRIES = 256;
    private static final int PAGE = 100;

    private final NodeFiles files;
    private final AsyncKeyValueStore store;
    private final BooleanSupplier nodeClosed;

    private record Entry(Bytes key, Bytes value, long expiresAtMillis) {

        int bytes() {
            return key.length() + value.length();
        }

        Expiry expiry() {
            return expiresAtMillis == 0 ? Expiry.never() : Expiry.at(Instant.ofEpochMilli(expiresAtMillis));
        }

        PutOptions options() {
            return PutOptions.defaults().expiry(expiry());
        }
    }

    Importer(NodeFiles files, AsyncKeyValueStore store, BooleanSupplier nodeClosed) {
        this.files = files;
        this.store = store;
        this.nodeClosed = nodeClosed;
    }

    /** Reads all of a backup and checks it. */
    static BackupInfo verify(NodeFiles files, Path file) {
        try (BackupReader reader = BackupReader.open(files, file)) {
            return reader.read(block -> {});
        }
    }

    /** See {@link io.elastickv.api.Backups#importFrom}. */
    ImportResult run(Path file, ImportMode mode, long deadlineNanos) {
        BackupInfo info = verify(files, file);
        if (mode == ImportMode.INTO_EMPTY) {
            checkEmpty(deadlineNanos);
        }
        RepeatedWrites writes = new RepeatedWrites(store, deadlineNanos, nodeClosed);
        try (BackupReader reader = BackupReader.open(files, file)) {
            Map<Integer, List<Entry>> bySlot = new LinkedHashMap<>();
            long[] gathered = new long[1];
            BackupInfo again = reader.read(block -> {
                block.forEach((key, value, expiresAtMillis) -> {
                    Entry entry = new Entry(UnsafeBytes.wrap(key), UnsafeBytes.wrap(value), expiresAtMillis);
                    bySlot.computeIfAbsent(KeySlot.of(key), slot -> new ArrayList<>())
                            .add(entry);
                    gathered[0] += entry.bytes() + 2L * BackupFormat.ENTRY_HEADER_BYTES;
                });
                if (gathered[0] >= GATHER_BYTES) {
                    bySlot.values().forEach(entries -> write(entries, writes));
                    bySlot.clear();
                    gathered[0] = 0;
                }
            });
            bySlot.values().forEach(entries -> write(entries, writes));
            writes.awaitAll();
            if (!again.equals(info)) {
                throw new InvalidRequestException(
                        InvalidRequestException.Reason.DAMAGED, "file " + file + ": it changed while it was read");
            }
        } catch (RuntimeException e) {
            throw partly(file, info, writes, e);
        }
        LOG.info(
                "imported {} entries from {}; {} had expired",
                writes.entriesDone() - writes.expired(),
                file,
                writes.expired());
        return new ImportResult(info, writes.entriesDone() - writes.expired(), writes.expired());
    }

    private static RuntimeException partly(Path file, BackupInfo info, RepeatedWrites writes, RuntimeException cause) {
        writes.stop();
        if (!writes.mayHaveWritten()) {
            return cause;
        }
        return new OutcomeUnknownException(
                "import of " + file + ": " + writes.entriesDone() + " of " + info.entries()
                        + " keys are written, others may be; repeat it with OVER_EXISTING. " + cause.getMessage(),
                cause);
    }

    /** By scanning: a count would include keys that have just expired. */
    private void checkEmpty(long deadlineNanos) {
        ScanCursor cursor = ScanCursor.START;
        do {
            Duration left = Duration.ofNanos(Math.max(1_000_000, deadlineNanos - System.nanoTime()));
            ScanPage page = store.blocking().withTimeout(left).scan(cursor, PAGE);
            if (!page.keys().isEmpty()) {
                throw new InvalidRequestException(
                        InvalidRequestException.Reason.NOT_EMPTY,
                        "the cluster has keys already; import into an empty one, or allow that keys are replaced"
                                + " (OVER_EXISTING)");
            }
            cursor = page.next();
        } while (!cursor.isStart());
    }

    private static void write(List<Entry> entriesOfOneSlot, RepeatedWrites writes) {
        int from = 0;
        while (from < entriesOfOneSlot.size()) {
            int to = from;
            int bytes = 0;
            while (to < entriesOfOneSlot.size()
                    && to - from < BATCH_ENTRIES
                    && (to == from || bytes + entriesOfOneSlot.get(to).bytes() <= BATCH_BYTES)) {
                bytes += entriesOfOneSlot.get(to++).bytes();
            }
            List<Entry> entries = List.copyOf(entriesOfOneSlot.subList(from, to));
            if (entries.size() == 1) {
                Entry entry = entries.get(0);
                writes.add(
                        1,
                        bytes,
                        target -> target.put(entry.key(), entry.value(), entry.options())
                                .thenApply(Importer::expired));
            } else {
                Batch batch = batch(entries);
                writes.add(
                        entries.size(), bytes, target -> target.execute(batch).thenApply(Importer::expired));
            }
            from = to;
        }
    }

    private static Batch batch(List<Entry> entries) {
        Batch.Builder builder = Batch.builder();
        entries.forEach(entry -> builder.put(entry.key(), entry.value(), entry.options()));
        return builder.build();
    }

    /** A put whose time to expire has passed deletes the key, and leaves it without a version. */
    private static int expired(WriteResult result) {
        return result.version() == 0 ? 1 : 0;
    }

    private static int expired(BatchResult result) {
        return result.results().stream().mapToInt(Importer::expired).sum();
    }

    /** What makes no sense to repeat. */
    static boolean isFinal(Throwable failure) {
        return failure instanceof InvalidRequestException || !(failure instanceof ElastickvException);
    }
}
