package io.elastickv.embedded.internal.backup;

import io.elastickv.api.BackupInfo;
import io.elastickv.api.UnavailableException;
import io.elastickv.embedded.internal.backup.BackupProtocol.Fetched;
import io.elastickv.embedded.internal.backup.BackupProtocol.Request;
import io.elastickv.embedded.internal.backup.CutTaker.Cut;
import io.elastickv.embedded.internal.backup.CutTaker.Part;
import io.elastickv.embedded.internal.backup.LeaderCalls.Outcome;
import io.elastickv.embedded.internal.files.NodeFiles;
import io.elastickv.embedded.internal.routing.ShardRoute;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a cut, fetches its parts one after the other and writes them into a file. If a part is lost, because the node
 * that keeps it went down, it all begins anew, with a new cut. For one thread.
 */
final class Exporter {

    private static final Logger LOG = LoggerFactory.getLogger(Exporter.class);
    private static final int ATTEMPTS = 3;

    /** What can be had is had by then; who gives more time gives it to the transfer. */
    private static final long CUT_NANOS = 20_000_000_000L;

    private static final long CALL_NANOS = 5_000_000_000L;

    /** A node that is silent for so long has lost its part. */
    private static final long SILENCE_NANOS = 15_000_000_000L;

    private static final long KEEP_ALIVE_NANOS = 5_000_000_000L;
    private static final long PAUSE_MILLIS = 5;

    private final LeaderCalls calls;
    private final NodeFiles files;
    private final LongSupplier wallMillis;
    private final CutTaker.Pause pause;
    private long keptAliveNanos;

    Exporter(LeaderCalls calls, NodeFiles files, LongSupplier wallMillis, CutTaker.Pause pause) {
        this.calls = calls;
        this.files = files;
        this.wallMillis = wallMillis;
        this.pause = pause;
    }

    /** See {@link io.elastickv.api.Backups#exportTo}. */
    BackupInfo export(Path target, String clusterId, Supplier<List<ShardRoute>> shards, long deadlineNanos) {
        BackupWriter.checkAbsent(files, target);
        String problem = "there was no time for it";
        try {
            for (int attempt = 1; attempt <= ATTEMPTS && System.nanoTime() - deadlineNanos < 0; attempt++) {
                long cutNanos = Math.min(CUT_NANOS, deadlineNanos - System.nanoTime());
                Cut cut = new CutTaker(calls, shards, pause).take(System.nanoTime() + cutNanos, deadlineNanos);
                try {
                    return fetch(cut, target, clusterId, deadlineNanos);
                } catch (ExportFailedException e) {
                    problem = String.valueOf(e.getMessage());
                    LOG.info("export to {}, attempt {} of {}: {}", target, attempt, ATTEMPTS, problem);
                }
            }
        } catch (ExportFailedException e) {
            problem = String.valueOf(e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            problem = "the thread was interrupted";
        }
        throw new UnavailableException("export to " + target + ": " + problem);
    }

    private BackupInfo fetch(Cut cut, Path target, String clusterId, long deadlineNanos)
            throws ExportFailedException, InterruptedException {
        List<Part> left = new ArrayList<>(cut.parts());
        keptAliveNanos = System.nanoTime();
        try (BackupWriter writer = BackupWriter.create(
                files, target, clusterId, wallMillis.getAsLong(), cut.parts().size())) {
            List<ShardCut> cuts = new ArrayList<>();
            for (Part part : cut.parts()) {
                cuts.add(fetch(cut.export(), part, left, writer, deadlineNanos));
                left.remove(part);
                calls.end(part.node(), cut.export(), part.shard());
            }
            BackupInfo info = writer.commit(cuts);
            LOG.info("exported {} entries of {} shards to {}", info.entries(), info.shards(), target);
            return info;
        } finally {
            left.forEach(part -> calls.end(part.node(), cut.export(), part.shard()));
        }
    }

    /** Fetches one part; the next blocks are on their way while some are being written. */
    private ShardCut fetch(long export, Part part, List<Part> left, BackupWriter writer, long deadlineNanos)
            throws ExportFailedException, InterruptedException {
        long next = 0;
        long entries = 0;
        long heardNanos = System.nanoTime();
        CompletableFuture<Outcome<Fetched>> call = ask(export, part, next);
        while (true) {
            Outcome<Fetched> outcome = LeaderCalls.await(call);
            long nowNanos = System.nanoTime();
            Fetched fetched = outcome.value();
            if (fetched == null) {
                boolean silent = outcome.refusal() == null;
                if (!silent || nowNanos - heardNanos > SILENCE_NANOS || nowNanos - deadlineNanos >= 0) {
                    throw new ExportFailedException("shard " + part.shard() + ": " + outcome.problem());
                }
                pause.millis(PAUSE_MILLIS * 10);
                call = ask(export, part, next);
                continue;
            }
            heardNanos = nowNanos;
            long from = next;
            next += fetched.blocks().size();
            boolean last = fetched.complete() && next >= fetched.totalBlocks();
            if (!last) {
                if (nowNanos - deadlineNanos >= 0) {
                    throw new ExportFailedException("shard " + part.shard() + ": its transfer from node " + part.node()
                            + " was not done in time");
                }
                if (next == from) {
                    pause.millis(PAUSE_MILLIS); // the leader is still writing
                }
                keepAlive(export, left, nowNanos);
                call = ask(export, part, next);
            }
            for (EntryBlock block : fetched.blocks()) {
                if (!block.isIntact()) {
                    throw new ExportFailedException("shard " + part.shard() + ": a block of node " + part.node()
                            + " does not match its checksum; its disk may be failing");
                }
                writer.add(part.shard(), block);
                entries += block.entries();
            }
            if (last) {
                if (next != fetched.totalBlocks() || entries != fetched.totalEntries()) {
                    throw new ExportFailedException("shard " + part.shard() + ": node " + part.node() + " gave "
                            + entries + " entries instead of " + fetched.totalEntries());
                }
                return new ShardCut(
                        part.shard(),
                        part.standing().term(),
                        part.standing().index(),
                        part.standing().logTimeMillis(),
                        next,
                        entries);
            }
        }
    }

    private CompletableFuture<Outcome<Fetched>> ask(long export, Part part, long firstBlock) {
        return calls.ask(
                part.node(),
                BackupProtocol.METHOD_FETCH,
                new Request(export, part.shard(), firstBlock),
                CALL_NANOS,
                BackupProtocol::fetched);
    }

    /** The parts whose turn has not come are still wanted. */
    private void keepAlive(long export, List<Part> left, long nowNanos) {
        if (nowNanos - keptAliveNanos > KEEP_ALIVE_NANOS) {
            keptAliveNanos = nowNanos;
            left.forEach(part -> calls.keepAlive(part.node(), export, part.shard()));
        }
    }
}
