package io.elastickv.embedded.internal.backup;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.BackupInfo;
import io.elastickv.api.Backups;
import io.elastickv.api.ImportMode;
import io.elastickv.api.ImportResult;
import io.elastickv.api.UnavailableException;
import io.elastickv.embedded.internal.files.NodeFiles;
import io.elastickv.embedded.internal.routing.RouteTable;
import io.elastickv.embedded.internal.routing.ShardRoute;
import io.elastickv.embedded.internal.transport.NodeRpc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The backups of a node: what its callers ask for, and what other nodes ask of its replicas. Thread-safe. */
public final class BackupService implements Backups, AutoCloseable {

    /** Two segments of the log: room enough for it to go on while somebody is told that the disk is full. */
    private static final long RESERVE_BYTES = 128L << 20;

    private static final long MAX_TIMEOUT_DAYS = 365;

    /**
     * What the service knows of its node.
     *
     * @param name of the node
     * @param routes null until the cluster has formed
     * @param clusterId empty until then
     * @param shards the replicas of this node
     * @param dataDirectory where the node keeps its data; null if it keeps none
     */
    public record Node(
            String name,
            NodeRpc rpc,
            Supplier<@Nullable RouteTable> routes,
            Supplier<String> clusterId,
            AsyncKeyValueStore store,
            IntFunction<@Nullable ExportableShard> shards,
            @Nullable Path dataDirectory,
            LongSupplier wallMillis) {}

    private final Node node;
    private final NodeFiles files = NodeFiles.system();
    private final ThreadPoolExecutor writer;
    private final @Nullable ExportServer server;
    private volatile boolean closed;

    /** A service; if the node keeps data, it answers other nodes from now on. */
    public BackupService(Node node) {
        this.node = node;
        this.writer = new ThreadPoolExecutor(1, 1, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
            Thread thread = new Thread(task, "elastickv-" + node.name + "-backup-0");
            thread.setDaemon(true);
            return thread;
        });
        writer.allowCoreThreadTimeOut(true);
        Path data = node.dataDirectory;
        if (data == null) {
            server = null;
        } else {
            server = new ExportServer(
                    node.shards,
                    new ShardExport.Desk(
                            files, data.resolve("export"), writer, () -> usableBytes(data), RESERVE_BYTES));
            server.deleteLeftovers();
            server.register(node.rpc::register);
        }
    }

    private static long usableBytes(Path directory) {
        try {
            return Files.getFileStore(directory).getUsableSpace();
        } catch (IOException e) {
            return Long.MAX_VALUE; // not known: a full disk shows when it is written to
        }
    }

    @Override
    public BackupInfo exportTo(Path file, Duration timeout) {
        Objects.requireNonNull(file, "file");
        long deadlineNanos = deadline(timeout);
        RouteTable first = awaitRoutes(deadlineNanos);
        return new Exporter(new LeaderCalls(node.rpc::call), files, node.wallMillis, this::pause)
                .export(file.toAbsolutePath(), node.clusterId.get(), () -> presentShards(first), deadlineNanos);
    }

    private List<ShardRoute> presentShards(RouteTable first) {
        RouteTable present = node.routes.get();
        return (present == null ? first : present).shards();
    }

    private void pause(long millis) throws InterruptedException, ExportFailedException {
        if (closed) {
            throw new ExportFailedException("node " + node.name + " is closed");
        }
        TimeUnit.MILLISECONDS.sleep(millis);
    }

    @Override
    public ImportResult importFrom(Path file, ImportMode mode, Duration timeout) {
        Objects.requireNonNull(file, "file");
        Objects.requireNonNull(mode, "mode");
        return new Importer(files, node.store, () -> closed).run(file.toAbsolutePath(), mode, deadline(timeout));
    }

    @Override
    public BackupInfo verify(Path file) {
        return Importer.verify(files, file.toAbsolutePath());
    }

    private static long deadline(Duration timeout) {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout = " + timeout + ": must be positive");
        }
        // A year is as good as for ever, and cannot overflow when added to the clock.
        return System.nanoTime()
                + (timeout.toDays() > MAX_TIMEOUT_DAYS ? TimeUnit.DAYS.toNanos(MAX_TIMEOUT_DAYS) : timeout.toNanos());
    }

    private RouteTable awaitRoutes(long deadlineNanos) {
        RouteTable routes = node.routes.get();
        while (routes == null) {
            if (closed) {
                throw new UnavailableException("node " + node.name + " is closed");
            }
            if (System.nanoTime() - deadlineNanos >= 0) {
                throw new UnavailableException(
                        "node " + node.name + ": the cluster has not formed, or was not reached");
            }
            try {
                TimeUnit.MILLISECONDS.sleep(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new UnavailableException("node " + node.name + ": the thread was interrupted", e);
            }
            routes = node.routes.get();
        }
        return routes;
    }

    /** Gives up what nobody has asked for in a while; to be called every second or so. */
    public void expire() {
        if (server != null) {
            server.expire(System.nanoTime());
        }
    }

    /** Whether an export holds the state of a shard or is about to; a checkpoint of it should wait. */
    public boolean claims(int shard) {
        return server != null && server.claims(shard);
    }

    /** Ends what is under way; before the replicas are closed. Idempotent. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (server != null) {
            server.close();
        }
    }

    /** Lets the writer end, once no loop gives it anything to do any more; before the replicas' memory is freed. */
    public void awaitEnd() {
        writer.shutdown();
        try {
            if (!writer.awaitTermination(5, TimeUnit.SECONDS)) {
                writer.shutdownNow();
            }
        } catch (InterruptedException e) {
            writer.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
