package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Member;
import io.elastickv.embedded.internal.transport.NodeRpc;
import io.elastickv.embedded.internal.transport.PeerAddress;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds or forms the cluster. The first start of a cluster is static, as etcd's: every initial member has the same list
 * of seeds, the addresses of all of them. Each asks every other who it is until all have answered; the layout is a pure
 * function of the answers, so that all compute the same one, and each makes it durable before it takes part. The
 * identities in it are those of the data directories: a member that comes back without its directory is told the layout
 * as well, but has to wait until the others take its new directory for the one of that member; it takes part without the
 * replicas that it had, since it would vote as if it remembered.
 *
 * <p>Thread-safe; the outcome is told once.
 */
final class Formation {

    private static final Logger LOG = LoggerFactory.getLogger(Formation.class);

    /** RPC method: who are you. */
    static final int METHOD_HELLO = 1;

    private static final long HELLO_TIMEOUT_NANOS = 1_000_000_000L;
    private static final long REPORT_EVERY_NANOS = 5_000_000_000L;

    /** Asks whoever listens at an address, as {@link NodeRpc} does. */
    interface Questions {
        /** See {@link NodeRpc#call(PeerAddress, int, byte[], long, RpcCallback)}. */
        void ask(PeerAddress address, int method, byte[] payload, long timeoutNanos, RpcCallback callback);
    }

    private final Hello self;
    private final List<PeerAddress> seeds;
    private final Questions questions;
    private final Consumer<ClusterLayout> formed;
    private final Consumer<String> refused;
    private final Map<String, Hello> answers = new HashMap<>();
    private final AtomicBoolean waitsForRecognition = new AtomicBoolean();
    private volatile boolean done;
    private long reportAtNanos = System.nanoTime() + REPORT_EVERY_NANOS;

    /**
     * A formation for the node that says {@code self}.
     *
     * @param formed told the layout, on a transport thread or within {@link #poll}
     * @param refused told why this node can't take part
     */
    Formation(
            Hello self,
            List<PeerAddress> seeds,
            Questions questions,
            Consumer<ClusterLayout> formed,
            Consumer<String> refused) {
        this.self = self;
        this.seeds = List.copyOf(seeds);
        this.questions = questions;
        this.formed = formed;
        this.refused = refused;
        answers.put(self.address().toString(), self);
    }

    /** Asks whoever has not answered yet; to be called a few times a second. */
    void poll() {
        if (done) {
            return;
        }
        byte[] question = self.encode();
        List<String> missing = new ArrayList<>();
        for (PeerAddress seed : seeds) {
            synchronized (this) {
                if (answers.containsKey(seed.toString())) {
                    continue;
                }
            }
            missing.add(seed.toString());
            questions.ask(seed, METHOD_HELLO, question, HELLO_TIMEOUT_NANOS, new RpcCallback() {
                @Override
                public void success(ByteBuffer answer) {
                    try {
                        heard(seed, Hello.decode(answer));
                    } catch (IllegalArgumentException e) {
                        LOG.warn("the answer of {} cannot be read: {}", seed, e.getMessage());
                    }
                }

                @Override
                public void failure(RpcFailure failure) {
                    // Not up yet, most likely; it is asked again.
                }
            });
        }
        long now = System.nanoTime();
        if (!missing.isEmpty() && now - reportAtNanos >= 0) {
            reportAtNanos = now + REPORT_EVERY_NANOS;
            LOG.info("node {} is waiting for the other initial members: no answer yet from {}", self.name(), missing);
        }
        conclude();
    }

    /** Takes what another node said of itself. */
    void heard(PeerAddress seed, Hello hello) {
        if (done) {
            return;
        }
        ClusterLayout layout = hello.layout();
        if (layout != null) {
            adopt(hello, layout);
            return;
        }
        if (self.storageless() || hello.storageless()) {
            return; // nothing to form with it
        }
        String problem = conflict(seed, hello);
        if (problem != null) {
            finish(() -> refused.accept(problem));
            return;
        }
        synchronized (this) {
            answers.put(seed.toString(), hello);
        }
        conclude();
    }

    private @Nullable String conflict(PeerAddress seed, Hello other) {
        if (!other.address().equals(seed)) {
            return "seed " + seed + " answers as " + other.address() + ": name it in the seeds by that address";
        }
        if (!other.seeds().equals(self.seeds())) {
            return "node " + other.name() + " at " + seed + " was started with seeds = " + other.seeds()
                    + ", this node with seeds = " + self.seeds() + ": all initial members need the same list";
        }
        if (other.shards() != self.shards()) {
            return "node " + other.name() + " at " + seed + " was started with shards = " + other.shards()
                    + ", this node with shards = " + self.shards() + ": all initial members need the same number";
        }
        if (other.replicationFactor() != self.replicationFactor()) {
            return "node " + other.name() + " at " + seed + " was started with replicationFactor = "
                    + other.replicationFactor() + ", this node with replicationFactor = " + self.replicationFactor()
                    + ": all initial members need the same number";
        }
        if (other.name().equals(self.name())) {
            return "the node at " + seed + " is named " + other.name() + " as this one is: give each node a name of its"
                    + " own";
        }
        return null;
    }

    private void adopt(Hello from, ClusterLayout layout) {
        if (self.storageless()) {
            finish(() -> formed.accept(layout));
            return;
        }
        Member member = layout.member(self.name()).orElse(null);
        if (member == null) {
            finish(() -> refused.accept("the cluster " + layout.clusterIdText() + " that node " + from.name()
                    + " belongs to was formed without a member named " + self.name()
                    + ": a node that is no initial member joins it, with join(" + from.address()
                    + ") instead of seeds"));
        } else if (!member.address().equals(self.address().toString())) {
            finish(() -> refused.accept("address = " + self.address() + ": the cluster knows node " + self.name()
                    + " at " + member.address() + ", and the address of a member cannot be changed yet"));
        } else if (self.nodeId().equals(layout.nodeIdOf(self.name()))) {
            finish(() -> formed.accept(layout));
        } else if (layout.knows(self.name(), self.nodeId())) {
            finish(() -> refused.accept(Identities.replaced(layout, self.name(), self.nodeId())));
        } else if (waitsForRecognition.compareAndSet(false, true)) {
            LOG.warn(
                    "node {}: the cluster knows it with another data directory; it comes back with an empty one as soon as"
                            + " the members have noticed that the former is gone",
                    self.name());
        }
    }

    private void conclude() {
        List<Member> members = new ArrayList<>();
        synchronized (this) {
            if (self.storageless()) {
                return;
            }
            for (PeerAddress seed : seeds) {
                Hello hello = answers.get(seed.toString());
                if (hello == null) {
                    return;
                }
                members.add(new Member(hello.name(), seed.host(), seed.port(), hello.nodeId()));
            }
        }
        try {
            ClusterLayout layout = new ClusterLayout(members, self.shards(), self.replicationFactor());
            finish(() -> formed.accept(layout));
        } catch (IllegalArgumentException e) {
            finish(() -> refused.accept(e.getMessage()));
        }
    }

    private void finish(Runnable outcome) {
        synchronized (this) {
            if (done) {
                return;
            }
            done = true;
        }
        outcome.run();
    }

    /** Tells nothing from now on. */
    void stop() {
        done = true;
    }

    /** The seeds as hellos compare them. */
    static List<String> ordered(List<PeerAddress> seeds) {
        TreeSet<String> ordered = new TreeSet<>();
        for (PeerAddress seed : seeds) {
            ordered.add(seed.toString());
        }
        return List.copyOf(ordered);
    }
}
