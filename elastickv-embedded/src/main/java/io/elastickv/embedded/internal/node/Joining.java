package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.node.JoinProtocol.Join;
import io.elastickv.embedded.internal.node.JoinProtocol.Joined;
import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.transport.PeerAddress;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way of a new node into a cluster: it asks one of the addresses after the other until a member lets it in or its
 * cluster refuses it. Asking again is harmless, as it is answered with the layout once the node is a member.
 *
 * <p>Thread-safe; the outcome is told once.
 */
final class Joining {

    private static final Logger LOG = LoggerFactory.getLogger(Joining.class);
    private static final long TIMEOUT_NANOS = 5_000_000_000L;
    private static final long REPORT_EVERY_NANOS = 5_000_000_000L;

    private final Join self;
    private final List<PeerAddress> addresses;
    private final Formation.Questions questions;
    private final Consumer<ClusterLayout> joined;
    private final Consumer<String> refused;
    private int next;
    private boolean asking;
    private boolean done;
    private String problem = "nobody has answered yet";
    private long reportAtNanos = System.nanoTime() + REPORT_EVERY_NANOS;

    /**
     * For the node that says {@code self}.
     *
     * @param joined told the layout with this node in it, on a transport thread
     * @param refused told why it is not let in, likewise
     */
    Joining(
            Join self,
            List<PeerAddress> addresses,
            Formation.Questions questions,
            Consumer<ClusterLayout> joined,
            Consumer<String> refused) {
        this.self = self;
        this.addresses = List.copyOf(addresses);
        this.questions = questions;
        this.joined = joined;
        this.refused = refused;
    }

    /** Asks the next one, if none is being asked; to be called a few times a second. */
    void poll() {
        PeerAddress address;
        synchronized (this) {
            long now = System.nanoTime();
            if (!done && now - reportAtNanos >= 0) {
                reportAtNanos = now + REPORT_EVERY_NANOS;
                LOG.info("node {} has not joined a cluster yet: {}", self.name(), problem);
            }
            if (done || asking) {
                return;
            }
            asking = true;
            address = addresses.get(next++ % addresses.size());
        }
        questions.ask(address, JoinProtocol.METHOD_JOIN, self.encode(), TIMEOUT_NANOS, new RpcCallback() {
            @Override
            public void success(ByteBuffer answer) {
                try {
                    answered(address, Joined.decode(answer));
                } catch (IllegalArgumentException e) {
                    again("the answer of " + address + " cannot be read: " + e.getMessage());
                }
            }

            @Override
            public void failure(RpcFailure failure) {
                again(address + " does not answer");
            }
        });
    }

    private void answered(PeerAddress address, Joined answer) {
        switch (answer.state()) {
            case MEMBER -> {
                ClusterLayout layout = ClusterLayout.ofText(answer.text());
                if (finish()) {
                    joined.accept(layout);
                }
            }
            case REFUSED -> {
                if (finish()) {
                    refused.accept(answer.text());
                }
            }
            case LATER -> again(address + " says: " + answer.text());
        }
    }

    private synchronized void again(String why) {
        asking = false;
        problem = why;
        LOG.debug("node {}: not joined yet: {}", self.name(), why);
    }

    private synchronized boolean finish() {
        boolean first = !done;
        done = true;
        return first;
    }

    /** What it waits for. */
    synchronized String problem() {
        return problem;
    }

    /** Tells nothing from now on. */
    synchronized void stop() {
        done = true;
    }
}
