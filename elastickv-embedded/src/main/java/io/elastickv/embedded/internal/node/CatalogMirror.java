package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.CatalogDelta;
import io.elastickv.embedded.internal.placement.CatalogState;
import io.elastickv.embedded.internal.transport.NodeRpc;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's copy of the catalog. Every node has one, also without a replica of the catalog's group and without storage:
 * nodes tell one another the revision that they know, and who knows less asks for what it lacks. Revisions are committed
 * by the catalog's group before anybody is told of them, so copies differ only in how far they are. Thread-safe.
 *
 * <pre>
 * since: revision i64   answer: a {@link CatalogDelta} from that revision, or from 0 if that is too long ago; empty if there
 *                               is nothing newer
 * </pre>
 */
final class CatalogMirror {

    /** Told of a later revision, one after the other. */
    interface Listener {
        void changed(CatalogState before, CatalogState after);
    }

    /** Asks a node for what came after a revision, as {@link NodeRpc} does. */
    interface Questions {
        void since(String node, byte[] revision, RpcCallback callback);
    }

    static final int METHOD_SINCE = 25;

    private static final Logger LOG = LoggerFactory.getLogger(CatalogMirror.class);
    private static final long TIMEOUT_NANOS = 2_000_000_000L;
    private static final int REMEMBERED = 64;
    private static final byte[] NOTHING = {};

    private final String self;
    private final Questions questions;
    private final Executor notifying;
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private final Deque<CatalogState> former = new ArrayDeque<>();
    private final Set<String> asking = ConcurrentHashMap.newKeySet();
    private volatile CatalogState state = CatalogState.EMPTY;
    private CatalogState told = CatalogState.EMPTY;

    /**
     * Knows nothing yet.
     *
     * @param notifying calls listeners, one task after the other
     */
    CatalogMirror(String self, NodeRpc rpc, Executor notifying) {
        this(
                self,
                (node, revision, callback) -> rpc.call(node, METHOD_SINCE, revision, TIMEOUT_NANOS, callback),
                notifying);
        rpc.register(METHOD_SINCE, (from, payload, responder) -> responder.reply(since(payload.getLong())));
    }

    /** One that asks by {@code questions} and answers nobody. */
    CatalogMirror(String self, Questions questions, Executor notifying) {
        this.self = self;
        this.questions = questions;
        this.notifying = notifying;
    }

    /** Adds a listener, and tells it soon what is known already. */
    void onChange(Listener listener) {
        listeners.add(listener);
        notifying.execute(() -> {
            CatalogState known = state;
            if (known.revision() > 0) {
                listener.changed(CatalogState.EMPTY, known);
            }
        });
    }

    /** What is known. */
    CatalogState state() {
        return state;
    }

    /** Takes a committed revision, if it is later than what is known; whether it was. */
    boolean adopt(CatalogState later) {
        synchronized (this) {
            if (later.revision() <= state.revision()) {
                return false;
            }
            former.addLast(state);
            if (former.size() > REMEMBERED) {
                former.removeFirst();
            }
            state = later;
        }
        notifying.execute(this::tell);
        return true;
    }

    private void tell() {
        CatalogState before;
        CatalogState after;
        synchronized (this) {
            before = told;
            after = state;
            told = after;
        }
        if (after.revision() > before.revision()) {
            for (Listener listener : listeners) {
                listener.changed(before, after);
            }
        }
    }

    private byte[] since(long revision) {
        CatalogState present;
        CatalogState older = null;
        synchronized (this) {
            present = state;
            for (CatalogState one : former) {
                if (one.revision() == revision) {
                    older = one;
                }
            }
        }
        if (present.revision() <= revision) {
            return NOTHING;
        }
        return present.since(older == null ? CatalogState.EMPTY : older).encode();
    }

    /** A node says that it knows so much; asks for it if that is more. */
    void heard(String node, long revision) {
        CatalogState present = state;
        if (revision <= present.revision() || node.equals(self) || !asking.add(node)) {
            return;
        }
        byte[] request = ByteBuffer.allocate(8).putLong(present.revision()).array();
        questions.since(node, request, new RpcCallback() {
            @Override
            public void success(ByteBuffer answer) {
                asking.remove(node);
                byte[] bytes = new byte[answer.remaining()];
                answer.get(bytes);
                try {
                    CatalogState later = later(present, bytes);
                    if (later != null) {
                        adopt(later);
                    }
                } catch (IllegalArgumentException e) {
                    LOG.warn("node {}: the catalog of node {} cannot be read: {}", self, node, e.getMessage());
                }
            }

            @Override
            public void failure(RpcFailure failure) {
                asking.remove(node); // it is heard of again soon
            }
        });
    }

    private static @Nullable CatalogState later(CatalogState present, byte[] bytes) {
        if (bytes.length == 0) {
            return null;
        }
        CatalogDelta delta = CatalogDelta.decode(bytes);
        return (delta.from() == 0 ? CatalogState.EMPTY : present).apply(delta);
    }
}
