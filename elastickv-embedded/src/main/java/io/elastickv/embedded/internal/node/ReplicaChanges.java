package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.node.ReplicaProtocol.Changed;
import io.elastickv.embedded.internal.node.ReplicaProtocol.Made;
import io.elastickv.embedded.internal.node.ReplicaProtocol.State;
import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Member;
import io.elastickv.embedded.internal.placement.ReplicaKey;
import io.elastickv.embedded.internal.raft.MemberId;
import io.elastickv.embedded.internal.raft.MembershipCallback;
import io.elastickv.embedded.internal.raft.ReplicaGroup;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.MemberChange;
import io.elastickv.embedded.internal.raft.core.PeerProgress;
import io.elastickv.embedded.internal.raft.core.Role;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Changes the members of the groups that this node leads, one step at a time and without remembering anything between
 * steps: {@link ChangePlanner} derives the next one from the group's configuration, so a step that was lost with a leader,
 * a message or a process is simply taken again. Thread-safe; nothing blocks.
 */
final class ReplicaChanges {

    private static final Logger LOG = LoggerFactory.getLogger(ReplicaChanges.class);
    private static final long MAKE_TIMEOUT_NANOS = 5_000_000_000L;
    /** How seldom it is looked for members that have no replica: theirs may be made in a moment. */
    private static final int UNMADE_ROUNDS = 5;

    /** Asks a node, as {@link io.elastickv.embedded.internal.transport.NodeRpc} does. */
    interface Calls {
        void call(String node, int method, byte[] payload, long timeoutNanos, RpcCallback callback);
    }

    private final String self;
    private final Map<Integer, ShardHost> shards;
    private final Identities identities;
    private final Peers peers;
    private final Calls calls;
    private final long silenceNanos;

    /** The shards for which a replica is being made; and what hindered the last step. */
    private final Set<Integer> making = ConcurrentHashMap.newKeySet();

    private final Map<Integer, String> hindrances = new ConcurrentHashMap<>();
    /** How often {@link #repair} was called. */
    private final AtomicInteger rounds = new AtomicInteger();

    /**
     * Makes it.
     *
     * @param silenceNanos after how long of silence a replica is not counted on any more; leaders' heartbeats are more
     *     frequent
     */
    ReplicaChanges(
            String self,
            Map<Integer, ShardHost> shards,
            Identities identities,
            Peers peers,
            Calls calls,
            long silenceNanos) {
        this.silenceNanos = silenceNanos;
        this.self = self;
        this.shards = shards;
        this.identities = identities;
        this.peers = peers;
        this.calls = calls;
    }

    /** Takes the next step for every shard led here that needs one; to be called a few times a second. */
    void repair() {
        int round = rounds.getAndIncrement();
        Map<String, String> directories = directories();
        for (ShardHost host : shards.values()) {
            ReplicaGroup.Status status = host.group().status();
            if (status.role() == Role.LEADER
                    && ChangePlanner.needsRepair(status.committedConfiguration(), directories)) {
                onLoop(host, () -> {
                    if (leads(host)) {
                        take(host, ChangePlanner.repair(sight(host)));
                    }
                });
            }
            if (round % UNMADE_ROUNDS == 0 && host.birth().isSplitOff() && status.role() == Role.LEADER) {
                onLoop(host, () -> makeMissing(host, round / UNMADE_ROUNDS));
            }
        }
    }

    private void makeMissing(ShardHost host, int turn) {
        if (leads(host)) {
            List<ChangePlanner.Make> unmade =
                    ChangePlanner.unmade(sight(host), host.birth().members());
            if (!unmade.isEmpty()) {
                make(host, unmade.get(turn % unmade.size()));
            }
        }
    }

    /** Takes the next step of a change that somebody asks for, and tells how far it is. */
    void ask(ReplicaProtocol.Change request, Consumer<Changed> answer) {
        ShardHost host = shards.get(request.shard());
        if (host == null) {
            answer.accept(new Changed(State.NOT_LEADER, ""));
            return;
        }
        boolean taken = onLoop(host, () -> {
            if (!leads(host)) {
                answer.accept(new Changed(State.NOT_LEADER, ""));
                return;
            }
            ChangePlanner.Sight sight = sight(host);
            ChangePlanner.Step step = request.add()
                    ? ChangePlanner.add(sight, request.node())
                    : ChangePlanner.remove(sight, request.node());
            if (step instanceof ChangePlanner.Answer known) {
                State state = known.done() ? State.DONE : known.impossible() ? State.IMPOSSIBLE : State.UNDER_WAY;
                answer.accept(new Changed(state, known.why()));
            } else {
                String hindrance = hindrances.get(request.shard());
                take(host, step);
                answer.accept(new Changed(State.UNDER_WAY, hindrance == null ? "it has begun" : hindrance));
            }
        });
        if (!taken) {
            answer.accept(new Changed(State.NOT_LEADER, ""));
        }
    }

    private static boolean leads(ShardHost host) {
        return host.group().status().role() == Role.LEADER;
    }

    private Map<String, String> directories() {
        Map<String, String> directories = new HashMap<>();
        ClusterLayout layout = identities.layout();
        if (layout != null) {
            for (Member member : layout.members()) {
                String nodeId = layout.nodeIdOf(member.name());
                directories.put(member.name(), nodeId == null ? member.nodeId() : nodeId);
            }
        }
        return directories;
    }

    private ChangePlanner.Sight sight(ShardHost host) {
        ReplicaGroup group = host.group();
        Map<String, String> directories = directories();
        Set<String> reachable = new HashSet<>();
        directories.forEach((node, nodeId) -> {
            if (node.equals(self) || nodeId.equals(peers.liveDirectory(node))) {
                reachable.add(node);
            }
        });
        Map<String, PeerProgress> progress = new HashMap<>();
        Set<String> heard = new HashSet<>(Set.of(host.member()));
        long nowNanos = host.loop().nowNanos();
        for (PeerProgress peer : group.progress()) {
            progress.put(peer.peer(), peer);
            if (peer.reachable() && nowNanos - peer.lastContactNanos() < silenceNanos) {
                heard.add(peer.peer());
            }
        }
        Configuration inEffect = group.configuration();
        boolean committed =
                inEffect.version() == group.status().committedConfiguration().version();
        return new ChangePlanner.Sight(inEffect, committed, directories, reachable, progress, heard);
    }

    private void take(ShardHost host, ChangePlanner.Step step) {
        if (step instanceof ChangePlanner.Change change) {
            change(host, change.change());
        } else if (step instanceof ChangePlanner.Make make) {
            make(host, make);
        }
    }

    private void change(ShardHost host, MemberChange change) {
        int shard = host.group().groupId();
        host.group().changeMembers(change, new MembershipCallback() {
            @Override
            public void committed() {
                hindrances.remove(shard);
                LOG.info("node {}: shard {}: {} is committed", self, shard, change);
            }

            @Override
            public void refused(String reason) {
                hindrances.put(shard, reason);
                LOG.debug("node {}: shard {}: {} is refused: {}", self, shard, change, reason);
            }

            @Override
            public void unknown() {
                LOG.info("node {}: shard {}: the leadership was lost before {} was committed", self, shard, change);
            }
        });
    }

    /** Has a replica made on a node, and adds it as a learner once it is there. */
    private void make(ShardHost host, ChangePlanner.Make make) {
        int shard = host.group().groupId();
        String nodeId = identities.nodeIdOf(make.node());
        if (nodeId == null || !making.add(shard)) {
            return;
        }
        ShardBirth birth = host.birth().isSplitOff() ? host.birth() : null;
        byte[] request = new ReplicaProtocol.Make(
                        shard, nodeId, make.key(), birth, host.group().status().committedConfiguration())
                .encode();
        calls.call(make.node(), ReplicaProtocol.METHOD_MAKE, request, MAKE_TIMEOUT_NANOS, new RpcCallback() {
            @Override
            public void success(ByteBuffer answer) {
                making.remove(shard);
                try {
                    Made made = Made.decode(answer);
                    if (made.made()) {
                        ReplicaKey key = ReplicaKey.parse(made.text());
                        onLoop(host, () -> join(host, make.node(), nodeId, key));
                    } else {
                        hinder(shard, "node " + make.node() + " makes no replica: " + made.text());
                    }
                } catch (IllegalArgumentException e) {
                    hinder(shard, "the answer of node " + make.node() + " cannot be read: " + e.getMessage());
                }
            }

            @Override
            public void failure(RpcFailure failure) {
                making.remove(shard);
                hinder(shard, "node " + make.node() + " does not answer");
            }
        });
    }

    private void hinder(int shard, String why) {
        LOG.info("node {}: shard {}: {}", self, shard, why);
        hindrances.put(shard, why);
    }

    private void join(ShardHost host, String node, String nodeId, ReplicaKey key) {
        Configuration inEffect = host.group().configuration();
        String member = MemberId.of(node, key.text());
        if (!leads(host) || inEffect.contains(member)) {
            return;
        }
        if (!key.isIn(nodeId) || inEffect.version() >= key.version()) {
            // It may have been a member before, see ReplicaKey; the node removes it when it hears of these members.
            hinder(host.group().groupId(), "node " + node + " still has a former replica");
            return;
        }
        change(host, new MemberChange.AddLearner(member));
    }

    private static boolean onLoop(ShardHost host, Runnable task) {
        try {
            host.loop().execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            LOG.debug("a loop has ended already", e);
            return false;
        }
    }
}
