package io.elastickv.embedded.internal.simulation;

import static io.elastickv.embedded.internal.simulation.VirtualTime.MICRO;
import static io.elastickv.embedded.internal.simulation.VirtualTime.MILLI;
import static io.elastickv.embedded.internal.simulation.VirtualTime.SECOND;

import io.elastickv.embedded.history.Operation.Outcome;
import io.elastickv.embedded.internal.raft.MemberId;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.RaftMessage;
import io.elastickv.embedded.internal.raft.core.RaftMessageCodec;
import io.elastickv.embedded.internal.raft.core.Role;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One seed: a cluster and its clients, the faults, the recovery, and the checks. */
final class Simulation {

    private static final long RECOVERY_NANOS = 60 * SECOND;
    private static final long BUSY_NANOS = 60 * MILLI;
    private static final long MAX_EVENTS = 3_000_000;

    final Scenario scenario;
    final Mutation mutation;
    private final @Nullable Set<Integer> faultsToDo;

    final VirtualTime time = new VirtualTime();
    final SplittableRandom random;
    final Network network;
    final Oracle oracle;
    final Histories histories = new Histories();
    final List<Node> nodes = new ArrayList<>();
    final List<String> nodeNames = new ArrayList<>();
    private final List<Client> clients = new ArrayList<>();
    private final Client lastClient;
    private final Trouble trouble;
    final Operator operator;
    private final List<List<String>> firstMembers = new ArrayList<>();

    /** The nodes of members, by their ids. */
    private final Map<String, Node> homes = new HashMap<>();

    boolean clientsGoOn = true;
    boolean healed;
    private long digest;

    int refusals;
    int failures;
    int flips;
    int crashesWhileWriting;
    int sessionsLost;
    int wipes;
    long checkpoints;
    long installed;
    long compactions;
    long writesOk;
    long writesUnknown;
    long writesNotApplied;
    long readsSeen;

    Simulation(long seed) {
        this(new Scenario(seed), Mutation.NONE, null);
    }

    /** @param faultsToDo the numbers of the faults that happen; null for all */
    Simulation(Scenario scenario, Mutation mutation, @Nullable Set<Integer> faultsToDo) {
        this.scenario = scenario;
        this.mutation = mutation;
        this.faultsToDo = faultsToDo;
        random = new SplittableRandom(scenario.seed);
        network = new Network(time, random.split(), scenario.nodes + scenario.clients + 1, scenario.maxDelayNanos);
        oracle = new Oracle(scenario.groups);
        for (int i = 0; i < scenario.nodes; i++) {
            nodeNames.add("n" + (i + 1));
        }
        for (int i = 0; i < scenario.nodes; i++) {
            nodes.add(new Node(this, i, random.split()));
        }
        operator = new Operator(this, random.split());
        for (int group = 0; group < scenario.groups; group++) {
            firstMembers.add(operator.place(group));
        }
        for (int i = 0; i < scenario.clients; i++) {
            Client client = new Client(this, i, random.split());
            clients.add(client);
            for (int lane = 0; lane < scenario.lanesPerClient; lane++) {
                client.addLane(-1);
            }
        }
        lastClient = new Client(this, scenario.clients, random.split());
        trouble = new Trouble(this);
    }

    boolean happens(Fault fault) {
        return faultsToDo == null || faultsToDo.contains(fault.number());
    }

    String preferredLeader(int group) {
        return nodeNames.get(group % nodeNames.size());
    }

    int numberOf(String node) {
        return nodeNames.indexOf(node);
    }

    Node node(String name) {
        return nodes.get(numberOf(name));
    }

    /** The members of a group before the first entry of its log, as {@code member} knows them. */
    Configuration membersAtFirst(int group, String member) {
        List<String> members = firstMembers.get(group);
        return members.contains(member) ? Configuration.of(members) : Configuration.EMPTY;
    }

    /** A digest of all that happened: equal for equal seeds. */
    long digest() {
        return digest;
    }

    void note(long what) {
        digest = Oracle.mix(digest, what ^ time.now());
    }

    /** Now and then all clients have much to do at once, so that replication is pipelined. */
    boolean isBusy() {
        return (Oracle.mix(scenario.seed, time.now() / BUSY_NANOS) & 15) == 0;
    }

    // ---- the network

    void sendToReplica(Replica from, String peer, RaftMessage message) {
        ByteBuffer bytes = ByteBuffer.allocate(RaftMessageCodec.encodedSize(message));
        RaftMessageCodec.encode(message, bytes);
        bytes.flip();
        Node to = homes.computeIfAbsent(peer, member -> node(MemberId.node(member)));
        network.send(from.process.node.number, to.number, () -> {
            Replica replica = to.replica(from.groupId);
            if (replica != null && replica.member.equals(peer) && !from.process.tookItsMessagesAlong()) {
                RaftMessage received = RaftMessageCodec.decode(bytes.duplicate());
                replica.process.onLoop(() -> replica.group.receive(from.member, received));
            }
        });
    }

    void request(int client, int node, int group, Consumer<Replica> action, Reply reply) {
        network.call(client, node, () -> {
            SimProcess process = nodes.get(node).process();
            if (process == null) {
                return;
            }
            Replica replica = process.replica(group);
            if (replica == null) {
                process.onLoop(() -> reply.refused(null));
            } else {
                process.onLoop(() -> action.accept(replica));
            }
        });
    }

    // ---- the story

    /** @throws Violation if a promise is broken */
    void run() {
        nodes.forEach(Node::start);
        clients.forEach(client -> client.lanes.forEach(Lane::think));
        evictNowAndThen();
        operator.work();
        trouble.plan();
        runUntil(scenario.faultyNanos);
        healed = true;
        trouble.heal();
        note(-1);
        // A while of peace, in which the clients find the cluster working.
        runFor(3 * scenario.electionNanos);
        clientsGoOn = false;
        long deadline = time.now() + RECOVERY_NANOS;
        while (!isCalm()) {
            if (time.now() > deadline) {
                throw new Violation(
                        "liveness", "not calm " + RECOVERY_NANOS / SECOND + " s after the last fault: " + nodes);
            }
            runFor(100 * MILLI);
        }
        runFor(scenario.maxTtlMillis * MILLI + SECOND);
        lookAtEverything(deadline + 20 * SECOND);
        checkLogs();
        Violation found = histories.check();
        if (found != null) {
            throw found;
        }
    }

    private void runFor(long nanos) {
        runUntil(time.now() + nanos);
    }

    private void runUntil(long nanos) {
        while (time.runNext(nanos)) {
            Violation found = oracle.violation;
            if (found != null) {
                throw found;
            }
            if (time.eventsRun() > MAX_EVENTS) {
                throw new Violation("liveness", "no end of events: " + nodes);
            }
        }
    }

    private void evictNowAndThen() {
        time.after(SECOND / 2 + random.nextLong(2 * SECOND), () -> {
            for (Node node : nodes) {
                node.withReplicas(replica -> {
                    if (replica.group.status().role() == Role.LEADER) {
                        replica.evictExpired();
                    }
                });
            }
            evictNowAndThen();
        });
    }

    /** Every call has ended, and every replica has applied everything. */
    private boolean isCalm() {
        for (Client client : clients) {
            for (Lane lane : client.lanes) {
                if (lane.isBusy()) {
                    return false;
                }
            }
        }
        for (Node node : nodes) {
            SimProcess process = node.process();
            if (process == null || !process.isRunning()) {
                return false;
            }
            for (Replica replica : process.replicas.values()) {
                if (replica.group.status().failed()
                        || replica.machine.appliedIndex() < oracle.lastApplied(replica.groupId)) {
                    return false;
                }
            }
        }
        return operator.allIsWell();
    }

    /** Every node answers for every key, and all say the same. */
    private void lookAtEverything(long deadline) {
        long before = readsSeen;
        long asked = 0;
        for (Node node : nodes) {
            Lane lane = lastClient.addLane(node.number);
            for (int group : node.holds.keySet()) {
                for (Keys.Key key : Keys.of(group)) {
                    Call.Kind kind = key.use() == Keys.Use.PAIR ? Call.Kind.GET_PAIR : Call.Kind.GET;
                    lastClient.script.add(new Call(kind, key, null, null, 0));
                    asked++;
                }
            }
            lastClient.next(lane);
            while (readsSeen < before + asked) {
                if (time.now() > deadline) {
                    throw new Violation("liveness", node.name + " answers no reads: " + nodes);
                }
                runFor(20 * MICRO + 5 * MILLI);
            }
        }
        if (lastClient.mortalSeen != null) {
            throw new Violation("expiry", lastClient.mortalSeen + " still lives");
        }
    }

    /** Log matching, of all that is on the disks. */
    private void checkLogs() {
        for (Node node : nodes) {
            SimProcess process = node.process();
            if (process != null && !node.damaged) {
                for (Replica replica : process.replicas.values()) {
                    LogChecks.matching(oracle, replica.groupId, replica.member, process.log.group(replica.groupId));
                }
            }
            if (process != null) {
                process.end();
            }
        }
        if (oracle.violation != null) {
            throw oracle.violation;
        }
    }

    void count(Outcome outcome) {
        switch (outcome) {
            case OK -> writesOk++;
            case UNKNOWN -> writesUnknown++;
            case NOT_APPLIED -> writesNotApplied++;
        }
    }

    /** The seconds that went by in the cluster. */
    double simulatedSeconds() {
        return time.now() / (double) SECOND;
    }
}
