package io.elastickv.embedded.internal.raft.core;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A few cores, a network that delivers when told to, and a transcript of what was said. Disks work at once unless a
 * node is told to hold its writes.
 */
final class ScriptedCluster {

    static final long MILLI = 1_000_000;

    record Mail(String from, String to, RaftMessage message) {}

    private static final class Node {
        final RaftConfig config;

        @Nullable
        RaftCore core;

        HardState durableState = HardState.INITIAL;
        SimLog durableLog = new SimLog();
        boolean memoryLost;
        long appliedIndex;
        final List<HardState> heldStates = new ArrayList<>();
        final List<LogEntry> heldEntries = new ArrayList<>();
        final List<Mail> heldMail = new ArrayList<>();
        boolean holdsWrites;

        Node(RaftConfig config, Configuration born) {
            this.config = config;
            durableLog.setBaseConfiguration(born);
        }
    }

    private final List<String> names = new ArrayList<>();
    private final List<Node> nodes = new ArrayList<>();
    final List<Mail> mail = new ArrayList<>();
    final List<Effects.ReadReady> readsReady = new ArrayList<>();
    final List<Effects.ReadFailed> readsFailed = new ArrayList<>();
    final List<Effects.LogRead> logReads = new ArrayList<>();
    final List<Effects.FetchSnapshot> fetches = new ArrayList<>();
    private final TreeSet<String> isolated = new TreeSet<>();
    private final StringBuilder transcript = new StringBuilder();
    long nowNanos;

    ScriptedCluster(int members) {
        this(members, 4_096, null);
    }

    ScriptedCluster(int members, int maxEntriesPerAppend, @Nullable RaftConfig template) {
        for (int i = 1; i <= members; i++) {
            names.add("n" + i);
        }
        for (String name : names) {
            RaftConfig d = template != null ? template : RaftConfig.of(name);
            RaftConfig config = new RaftConfig(
                    name,
                    1_000 * MILLI,
                    100 * MILLI,
                    maxEntriesPerAppend,
                    d.maxBytesPerAppend(),
                    d.maxInFlightAppends(),
                    d.maxInFlightBytes(),
                    d.maxUncommittedEntries(),
                    d.maxUncommittedBytes(),
                    d.maxCachedEntryBytes(),
                    d.preferredLeader());
            nodes.add(new Node(config, Configuration.of(names)));
            start(name);
        }
    }

    /** A replica that was just made, and knows nobody. */
    void make(String name) {
        RaftConfig d = RaftConfig.of(name);
        names.add(name);
        nodes.add(new Node(
                new RaftConfig(
                        name,
                        1_000 * MILLI,
                        100 * MILLI,
                        d.maxEntriesPerAppend(),
                        d.maxBytesPerAppend(),
                        d.maxInFlightAppends(),
                        d.maxInFlightBytes(),
                        d.maxUncommittedEntries(),
                        d.maxUncommittedBytes(),
                        d.maxCachedEntryBytes(),
                        null),
                Configuration.EMPTY));
        start(name);
    }

    private Node node(String name) {
        return nodes.get(names.indexOf(name));
    }

    RaftCore core(String name) {
        RaftCore core = node(name).core;
        if (core == null) {
            throw new IllegalStateException(name + " is down");
        }
        return core;
    }

    /** A log to start from; for a node that was stopped. */
    void plantLog(String name, HardState state, LogEntry... entries) {
        Node node = node(name);
        node.durableState = state;
        node.durableLog.truncateTo(0);
        List.of(entries).forEach(node.durableLog::put);
    }

    void start(String name) {
        Node node = node(name);
        SimLog log = node.durableLog;
        node.core = new RaftCore(
                node.config,
                new RestoredState(
                        node.durableState,
                        log.baseIndex() + 1,
                        log.lastIndex(),
                        0,
                        node.appliedIndex,
                        log.runs(),
                        log.entries(),
                        log.configurationAt(log.baseIndex()),
                        log.configurationEntries(),
                        node.memoryLost),
                nowNanos,
                nowNanos / MILLI,
                new SplittableRandom(names.indexOf(name) + 1));
    }

    /** Kills a node; what it held back is lost. */
    void crash(String name) {
        Node node = node(name);
        node.core = null;
        node.heldStates.clear();
        node.heldEntries.clear();
        node.heldMail.clear();
        node.holdsWrites = false;
        mail.removeIf(m -> m.to.equals(name));
    }

    void holdWrites(String name) {
        node(name).holdsWrites = true;
    }

    /** The disk catches up. */
    void releaseWrites(String name) {
        Node node = node(name);
        node.holdsWrites = false;
        List<HardState> states = List.copyOf(node.heldStates);
        List<LogEntry> entries = List.copyOf(node.heldEntries);
        List<Mail> after = List.copyOf(node.heldMail);
        node.heldStates.clear();
        node.heldEntries.clear();
        node.heldMail.clear();
        states.forEach(s -> persist(node, s));
        persist(node, entries);
        after.forEach(this::post);
        drain(name);
    }

    void isolate(String name) {
        isolated.add(name);
    }

    void heal(String name) {
        isolated.remove(name);
    }

    /** Lets time pass for everybody, without delivering anything. */
    void pass(long millis) {
        for (long i = 0; i < millis; i += 10) {
            nowNanos += 10 * MILLI;
            for (String name : names) {
                if (node(name).core != null) {
                    core(name).tick(nowNanos, nowNanos / MILLI);
                    drain(name);
                }
            }
        }
    }

    Proposal propose(String name, String... payloads) {
        List<byte[]> bytes = new ArrayList<>();
        for (String payload : payloads) {
            bytes.add(payload.getBytes(StandardCharsets.UTF_8));
        }
        Proposal proposal = core(name).propose(bytes);
        drain(name);
        return proposal;
    }

    void read(String name, long context) {
        core(name).read(context);
        drain(name);
    }

    Proposal change(String name, MemberChange change) {
        Proposal proposal = core(name).changeMembers(change);
        drain(name);
        return proposal;
    }

    /** Adds a member that is made for it, and has it catch up. */
    void addLearner(String leader, String name) {
        make(name);
        change(leader, new MemberChange.AddLearner(name));
        settle();
        pass(200);
        settle();
    }

    /** Adds a voter, decided on and caught up. */
    void addVoter(String leader, String name) {
        addLearner(leader, name);
        if (!(change(leader, new MemberChange.Promote(name)) instanceof Proposal.Accepted)) {
            throw new IllegalStateException(name + " was not promoted:\n" + transcript);
        }
        settle();
        pass(100);
        settle();
    }

    /** Everything committed is applied, and the log given up to {@code index}. */
    void compact(String name, long index) {
        Node node = node(name);
        core(name).applied(core(name).commitIndex());
        node.appliedIndex = Math.max(node.appliedIndex, index);
        core(name).compact(index);
        node.durableLog.base(index, core(name).termAt(index), node.durableLog.configurationAt(index));
        drain(name);
    }

    /** Installs a snapshot of {@code source} at what it has committed. */
    void install(String name, String source) {
        RaftCore from = core(source);
        install(name, from.commitIndex(), from.termAt(from.commitIndex()), from.configurationAt(from.commitIndex()));
    }

    void install(String name, long index, long term, Configuration configuration) {
        Node node = node(name);
        core(name).snapshotInstalled(index, term, configuration);
        node.appliedIndex = index;
        node.durableLog.base(index, term, configuration);
        note(name + " has installed a snapshot at " + index + ":" + term);
        drain(name);
    }

    /** The state of a stopped node goes, its log stays. */
    void loseState(String name) {
        node(name).appliedIndex = 0;
        node(name).durableLog.setBaseConfiguration(Configuration.EMPTY);
    }

    /** The log of a stopped node loses its end, and the node knows. */
    void loseMemory(String name, long lastIndex) {
        node(name).durableLog.truncateTo(lastIndex);
        node(name).memoryLost = true;
    }

    void campaign(String name) {
        core(name).campaign();
        drain(name);
    }

    /** Carries a node's effects out. */
    void drain(String name) {
        Node node = node(name);
        RaftCore core = core(name);
        while (core.hasEffects()) {
            Effects effects = core.takeEffects();
            if (effects.roleChanged()) {
                note(name + " is " + effects.role() + " of term " + effects.term()
                        + (effects.leader() == null ? "" : ", leader " + effects.leader()));
            }
            readsReady.addAll(effects.readsReady());
            readsFailed.addAll(effects.readsFailed());
            logReads.addAll(effects.logReads());
            if (effects.fetchSnapshot() != null) {
                fetches.add(effects.fetchSnapshot());
                note(name + " fetches a snapshot of "
                        + effects.fetchSnapshot().from() + " at "
                        + effects.fetchSnapshot().leastIndex() + " at least");
            }
            for (Effects.ReadReady ready : effects.readsReady()) {
                note(name + " may serve read " + ready.context() + " at " + ready.index());
            }
            for (Effects.ReadFailed failed : effects.readsFailed()) {
                note(name + " fails read " + failed.context() + ": " + failed.reason());
            }
            for (Effects.Outbound out : effects.messages()) {
                Mail m = new Mail(name, out.to(), out.message());
                if (out.afterDurable() && node.holdsWrites) {
                    node.heldMail.add(m);
                } else {
                    post(m);
                }
            }
            HardState state = effects.persist();
            if (node.holdsWrites) {
                if (state != null) {
                    node.heldStates.add(state);
                }
                node.heldEntries.addAll(effects.appends());
            } else {
                List<LogEntry> entries = List.copyOf(effects.appends());
                if (state != null) {
                    persist(node, state);
                }
                persist(node, entries);
            }
        }
    }

    private static void persist(Node node, HardState state) {
        node.durableState = state;
        if (node.core != null) {
            node.core.hardStateDurable(state);
        }
    }

    private static void persist(Node node, List<LogEntry> entries) {
        entries.forEach(node.durableLog::put);
        if (!entries.isEmpty() && node.core != null) {
            LogEntry last = entries.get(entries.size() - 1);
            node.core.durable(last.index(), last.term());
        }
    }

    private void post(Mail m) {
        if (!isolated.contains(m.from) && !isolated.contains(m.to) && node(m.to).core != null) {
            mail.add(m);
        }
    }

    /** Delivers everything there is, and what comes of it. */
    void settle() {
        while (!mail.isEmpty()) {
            deliver(mail.remove(0));
        }
    }

    /** Delivers what is under way between two nodes now, but not what comes of it. */
    void deliver(String from, String to) {
        List<Mail> now = take(from, to);
        now.forEach(this::deliver);
    }

    /** Takes what is under way between two nodes off the network. */
    List<Mail> take(String from, String to) {
        List<Mail> taken = new ArrayList<>();
        for (Iterator<Mail> it = mail.iterator(); it.hasNext(); ) {
            Mail m = it.next();
            if (m.from.equals(from) && m.to.equals(to)) {
                taken.add(m);
                it.remove();
            }
        }
        return taken;
    }

    void deliver(Mail m) {
        if (node(m.to).core == null) {
            return;
        }
        note(m.from + "->" + m.to + " " + describe(m.message));
        core(m.to).step(m.from, m.message);
        drain(m.to);
    }

    /** Makes a node the leader, undisturbed. */
    void elect(String name) {
        campaign(name);
        settle();
        if (core(name).role() != Role.LEADER) {
            throw new IllegalStateException(name + " was not elected:\n" + transcript);
        }
    }

    List<LogEntry> durableLog(String name) {
        return node(name).durableLog.entries();
    }

    HardState durableState(String name) {
        return node(name).durableState;
    }

    private void note(String line) {
        transcript.append(line).append('\n');
    }

    /** What happened since the last call. */
    String transcript() {
        String text = transcript.toString();
        transcript.setLength(0);
        return text;
    }

    static String describe(RaftMessage message) {
        String t = "(" + message.term() + ") ";
        if (message instanceof RaftMessage.PreVoteRequest m) {
            return "PreVote?" + t + "last " + m.lastIndex() + ":" + m.lastTerm();
        } else if (message instanceof RaftMessage.PreVoteResponse m) {
            return "PreVote" + t + (m.granted() ? "yes" : "no") + " to term " + m.campaignTerm();
        } else if (message instanceof RaftMessage.VoteRequest m) {
            return "Vote?" + t + "last " + m.lastIndex() + ":" + m.lastTerm()
                    + (m.leadershipTransfer() ? " transfer" : "");
        } else if (message instanceof RaftMessage.VoteResponse m) {
            return "Vote" + t + (m.granted() ? "yes" : "no");
        } else if (message instanceof RaftMessage.AppendRequest m) {
            StringBuilder entries = new StringBuilder();
            m.entries()
                    .forEach(e ->
                            entries.append(' ').append(e.index()).append(':').append(e.term()));
            return "Append" + t + "after " + m.prevIndex() + ":" + m.prevTerm() + " commit " + m.commitIndex()
                    + (m.round() == 0 ? "" : " round " + m.round()) + (entries.length() == 0 ? "" : " +" + entries);
        } else if (message instanceof RaftMessage.AppendResponse m) {
            return m.matched()
                    ? "Ack" + t + m.matchIndex() + " of " + m.verifiedIndex()
                            + (m.round() == 0 ? "" : " round " + m.round())
                    : "Reject" + t + m.rejectedIndex() + " hint " + m.rejectHintIndex() + ":" + m.rejectHintTerm();
        } else if (message instanceof RaftMessage.ReadIndexRequest) {
            return "Read?" + t.trim();
        } else if (message instanceof RaftMessage.ReadIndexResponse m) {
            return "Read" + t + (m.accepted() ? "at " + m.index() : "refused");
        } else if (message instanceof RaftMessage.SnapshotRequired m) {
            return "SnapshotRequired" + t + "at " + m.leastIndex() + " at least";
        } else if (message instanceof RaftMessage.MemoryLost) {
            return "MemoryLost" + t.trim();
        } else if (message instanceof RaftMessage.RecoverUpTo m) {
            return "RecoverUpTo" + t + m.lastIndex();
        }
        return "TimeoutNow" + t.trim();
    }
}
