package io.elastickv.embedded.internal.transport;

import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The failure detector between nodes, and the clock of the calls: one thread per node.
 *
 * <p>A peer is reachable while some frame came from it within the timeout. A peer that was quiet for one interval is
 * pinged; so busy links cost nothing. It counts as unreachable at once when its machine refuses connections or when it
 * said goodbye. JGroups' views are not asked: the two sides of a healed partition talk before their views merge.
 */
final class LinkMonitor {
    private static final Logger log = LoggerFactory.getLogger(LinkMonitor.class);

    /** Calls end at most this much after their deadline. */
    private static final long MIN_SLEEP_NANOS = 4_000_000;

    /** A silent peer's connection is replaced so often: TCP's own retries become minutes apart. */
    private static final int RECONNECT_AFTER_TIMEOUTS = 3;

    private static final long FORGET_AFTER_NANOS = 60_000_000_000L;

    private final LinkContext context;
    private final LinkTable links;
    private final ClusterListener listener;
    private final long pingNanos;
    private final long unreachableNanos;
    private final Thread thread;
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final Map<String, Peer> peers = new HashMap<>();

    private volatile long nextWakeNanos;
    private volatile boolean woken;
    private volatile boolean stopped;
    private long lastTickNanos;
    private long lastPingNanos;

    /** What the listener was told last of one name. */
    private static final class Peer {
        Link link;
        long incarnation;
        boolean reachable;

        Peer(Link link) {
            this.link = link;
        }
    }

    LinkMonitor(LinkContext context, LinkTable links, ClusterListener listener, long pingNanos, long unreachableNanos) {
        this.context = context;
        this.links = links;
        this.listener = listener;
        this.pingNanos = pingNanos;
        this.unreachableNanos = unreachableNanos;
        this.thread = context.thread("monitor", this::run);
    }

    void start() {
        lastTickNanos = context.nanos();
        lastPingNanos = lastTickNanos - pingNanos;
        thread.start();
    }

    void stop() throws InterruptedException {
        stopped = true;
        LockSupport.unpark(thread);
        if (Thread.currentThread() != thread) {
            thread.join(2_000);
        }
        runTasks();
    }

    void wake() {
        if (!woken) {
            woken = true;
            LockSupport.unpark(thread);
        }
    }

    /** Runs it on the monitor's thread, soon. After the stop: here and now. */
    void execute(Runnable task) {
        tasks.add(task);
        wake();
        if (stopped && !thread.isAlive()) {
            runTasks();
        }
    }

    /** A call with this deadline was added. */
    void watch(long deadlineNanos) {
        if (deadlineNanos < nextWakeNanos) {
            wake();
        }
    }

    private void run() {
        while (!stopped) {
            woken = false;
            try {
                runTasks();
                tick(context.nanos());
            } catch (RuntimeException e) {
                log.error("{}: the monitor of the links failed in one round", context.nodeName(), e);
            }
            long sleep = nextWakeNanos - context.nanos();
            if (!woken && !stopped && sleep > 0) {
                LockSupport.parkNanos(this, sleep);
            }
        }
    }

    private void runTasks() {
        Runnable task;
        while ((task = tasks.poll()) != null) {
            task.run();
        }
    }

    private void tick(long now) {
        long late = now - lastTickNanos - 2 * pingNanos;
        lastTickNanos = now;
        // From here on a call whose deadline comes before the next regular round wakes this thread: see watch().
        nextWakeNanos = now + pingNanos / 2;
        boolean ping = now - lastPingNanos >= pingNanos;
        if (ping) {
            lastPingNanos = now;
        }
        long wake = now + pingNanos / 2;
        for (Link link : links.all()) {
            long heard = link.heardNanos;
            if (late > 0 && heard > 0) {
                // This process stood still: what it did not hear meanwhile is nobody's silence.
                link.heardNanos = heard + late;
            }
            link.expireCalls(now);
            wake = Math.min(wake, link.pending.earliestDeadlineNanos());
            if (ping && !link.self) {
                keepAlive(link, now);
            }
        }
        judge(now);
        nextWakeNanos = Math.max(wake, now + MIN_SLEEP_NANOS);
    }

    private void keepAlive(Link link, long now) {
        long silence = now - Math.max(link.heardNanos, link.createdNanos);
        boolean wanted = link.seed || link.learned || (link.inView && !link.storageless);
        if (wanted) {
            if (now - link.heardNanos >= pingNanos || now - link.lastSendNanos >= pingNanos || link.heardNanos < 0) {
                link.outbox.addStamp(Frames.PING, now);
                link.signal();
            }
        } else if (silence > FORGET_AFTER_NANOS && !link.inView) {
            log.debug("{}: forgets {}, silent for {} s", context.nodeName(), link, silence / 1_000_000_000L);
            links.remove(link);
            context.tcp().dropConnection(link.address);
            return;
        }
        long patience = RECONNECT_AFTER_TIMEOUTS * unreachableNanos;
        if (silence > patience && now - link.reconnectedNanos > patience) {
            link.reconnectedNanos = now;
            link.giveUpWaiting();
            context.tcp().dropConnection(link.address);
        }
    }

    private void judge(long now) {
        for (Map.Entry<String, Link> entry : links.names()) {
            String name = entry.getKey();
            Link link = entry.getValue();
            if (link.self) {
                continue;
            }
            long incarnation = link.incarnation;
            long heard = link.heardNanos;
            boolean reachable = heard >= 0 && now - heard <= unreachableNanos;
            link.reachable = reachable;
            Peer peer = peers.computeIfAbsent(name, n -> new Peer(link));
            if (peer.reachable && (!reachable || peer.link != link || peer.incarnation != incarnation)) {
                peer.reachable = false;
                if (peer.link != link) {
                    peer.link.reachable = false;
                }
                tell(name, false, reachable ? "restarted or moved" : "silent");
                if (!reachable) {
                    link.giveUpWaiting();
                    if (link.isSending()) {
                        // Stuck in a write. JGroups' acceptor would wait for it when the peer comes back.
                        context.tcp().dropConnection(link.address);
                    }
                }
            }
            if (!peer.reachable && reachable) {
                peer.reachable = true;
                tell(name, true, "heard");
            }
            peer.link = link;
            peer.incarnation = incarnation;
        }
        for (Iterator<Map.Entry<String, Peer>> it = peers.entrySet().iterator(); it.hasNext(); ) {
            Map.Entry<String, Peer> entry = it.next();
            if (links.named(entry.getKey()) == null) {
                it.remove();
                if (entry.getValue().reachable) {
                    tell(entry.getKey(), false, "gone");
                }
            }
        }
    }

    private void tell(String name, boolean reachable, String why) {
        log.debug("{}: {} is {} ({})", context.nodeName(), name, reachable ? "reachable" : "unreachable", why);
        try {
            listener.peerReachable(name, reachable);
        } catch (RuntimeException e) {
            context.stats().callbackFailures.increment();
            log.warn("{}: the listener failed on the reachability of {}", context.nodeName(), name, e);
        }
    }
}
