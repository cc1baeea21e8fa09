package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.Catalog;
import io.elastickv.embedded.internal.placement.LoadBook;
import io.elastickv.embedded.internal.placement.LoadReport;
import io.elastickv.embedded.internal.placement.LoadReportCodec;
import io.elastickv.embedded.internal.placement.LoadReporter;
import io.elastickv.embedded.internal.placement.NodeFigures;
import io.elastickv.embedded.internal.placement.plan.Loads;
import io.elastickv.embedded.internal.routing.Router;
import io.elastickv.embedded.internal.routing.ShardRoute;
import io.elastickv.embedded.internal.transport.NodeRpc;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the nodes report of their loads: each tells the one that leads the catalog once a second, and that one puts the
 * reports together. Thread-safe.
 */
final class Reports {

    private static final Logger LOG = LoggerFactory.getLogger(Reports.class);

    /** RPC method: a report; the answer is empty. */
    static final int METHOD_REPORT = 27;

    private static final long TIMEOUT_NANOS = 1_000_000_000L;
    private static final byte[] NOTHING = {};

    private final String self;
    private final Router router;
    private final NodeRpc rpc;
    private final LongSupplier wallMillis;
    private final @Nullable LoadReporter reporter;
    private final LoadBook book;

    /**
     * Makes it.
     *
     * @param reporter null if the node stores nothing
     */
    Reports(
            String self,
            Router router,
            NodeRpc rpc,
            LongSupplier wallMillis,
            @Nullable LoadReporter reporter,
            LoadBook book) {
        this.self = self;
        this.router = router;
        this.rpc = rpc;
        this.wallMillis = wallMillis;
        this.reporter = reporter;
        this.book = book;
        rpc.register(METHOD_REPORT, (from, payload, responder) -> {
            byte[] bytes = new byte[payload.remaining()];
            payload.get(bytes);
            try {
                book.heard(LoadReportCodec.decode(bytes), wallMillis.getAsLong());
            } catch (IllegalArgumentException e) {
                LOG.warn("node {}: the report of node {} cannot be read: {}", self, from, e.getMessage());
            }
            responder.reply(NOTHING);
        });
    }

    /** A source of what the replicas of a node have to do. */
    static List<LoadReporter.Metered> metered(Map<Integer, ShardHost> hosts) {
        return hosts.values().stream()
                .filter(host -> host.group().groupId() != Catalog.GROUP
                        && !host.group().status().failed())
                .map(ShardHost::metered)
                .toList();
    }

    /** Tells whoever leads the catalog; to be called once a second. */
    void report() {
        ShardRoute route = router.route(Catalog.GROUP);
        String leader = route == null ? null : route.leader();
        if (reporter == null || leader == null) {
            return;
        }
        LoadReport report = reporter.report(wallMillis.getAsLong());
        if (leader.equals(self)) {
            book.heard(report, wallMillis.getAsLong());
            return;
        }
        rpc.call(leader, METHOD_REPORT, LoadReportCodec.encode(report), TIMEOUT_NANOS, new RpcCallback() {
            @Override
            public void success(ByteBuffer answer) {
                // It has it.
            }

            @Override
            public void failure(RpcFailure failure) {
                // The next one comes soon.
            }
        });
    }

    /** What was reported, for others. */
    byte[] encode() {
        return book.encode(wallMillis.getAsLong());
    }

    /** What a new replica of a shard has to fetch, in bytes. */
    Map<Integer, Long> sizes() {
        return book.sizes(wallMillis.getAsLong());
    }

    Loads loads() {
        return book.loads(wallMillis.getAsLong());
    }

    /** How much more a node can store; {@link Long#MAX_VALUE} if it has not said so. */
    long freeBytes(String node) {
        NodeFigures figures = book.nodes(wallMillis.getAsLong()).get(node);
        return figures == null ? Long.MAX_VALUE : figures.freeBytes();
    }

    /** Whether a replica has all but the newest; one that has not reported has, if it votes. */
    boolean caughtUp(String node, int shard, boolean voter) {
        Boolean said = book.caughtUp(node, shard, wallMillis.getAsLong());
        return said == null ? voter : said;
    }
}
