package io.elastickv.embedded.internal.transport;

import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.ObjLongConsumer;
import org.jgroups.Address;
import org.jgroups.Event;
import org.jgroups.Message;
import org.jgroups.View;
import org.jgroups.annotations.MBean;
import org.jgroups.annotations.ManagedAttribute;
import org.jgroups.annotations.ManagedOperation;
import org.jgroups.conf.AttributeType;
import org.jgroups.conf.ClassConfigurator;
import org.jgroups.fork.ForkChannel;
import org.jgroups.protocols.raft.InternalCommand;
import org.jgroups.protocols.raft.Log;
import org.jgroups.protocols.raft.LogEntries;
import org.jgroups.protocols.raft.LogEntry;
import org.jgroups.protocols.raft.RAFT;
import org.jgroups.protocols.raft.RaftHeader;
import org.jgroups.protocols.raft.RaftImpl;
import org.jgroups.protocols.raft.Role;
import org.jgroups.raft.Options;
import org.jgroups.raft.StateMachine;
import org.jgroups.raft.util.CommitTable;
import org.jgroups.util.MessageBatch;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * The jgroups-raft protocol of one shard replica: the face that jgroups-raft's users know (RaftHandle, Settable, the
 * attributes of RAFT, role listeners) over a replica that decides by itself.
 *
 * <p>Nothing of the base class decides anything: every method of it that votes, appends, acknowledges, commits, reads,
 * installs or changes state either goes to the {@link ShardPort} or is refused. It opens no log, writes no file and starts no
 * thread; messages of the stock protocol are dropped. A test holds this class against the base class's methods, so a new
 * jgroups-raft with new ones fails it (docs/adr/0011 has the reasons; docs/jgroups-raft-findings.md what the stock protocol
 * does).
 *
 * <p>Thread-safe.
 */
@MBean(description = "A shard replica, shown as jgroups-raft's RAFT protocol")
public final class ShardRaft extends RAFT implements AutoCloseable {
    /** Ours; the stock protocol's is 521. Ids from 512 are free for applications; JGroups' own projects use up to 550. */
    static final short PROTOCOL_ID = 7421;

    private static final org.slf4j.Logger slf4j = LoggerFactory.getLogger(ShardRaft.class);

    static {
        ClassConfigurator.addProtocol(PROTOCOL_ID, ShardRaft.class);
    }

    private final int groupId;
    private final String groupName;
    private final ShardPort port;
    private final NodeThreads threads;
    private final List<RoleChange> listeners = new CopyOnWriteArrayList<>();
    private final Object roles = new Object();
    private CompletableFuture<Void> told = CompletableFuture.completedFuture(null);
    private volatile @Nullable View current;
    private @Nullable ForkChannel fork;
    private @Nullable Runnable onClose;

    ShardRaft(int groupId, String groupName, String nodeName, ShardPort port, NodeThreads threads) {
        this.groupId = groupId;
        this.groupName = groupName;
        this.port = port;
        this.threads = threads;
        this.id = PROTOCOL_ID;
        this.raft_id = nodeName;
        this.impl = null; // the base class's state machine of roles: whoever reaches it by a new way finds nothing
    }

    void attach(ForkChannel channel, Runnable closed) {
        this.fork = channel;
        this.onClose = closed;
    }

    public int groupId() {
        return groupId;
    }

    public String groupName() {
        return groupName;
    }

    /** The fork channel, as {@link org.jgroups.raft.RaftHandle} wants it. */
    public org.jgroups.JChannel forkChannel() {
        return Objects.requireNonNull(fork, "fork");
    }

    /** Closes the fork channel. Idempotent. The replica itself is not touched. */
    @Override
    public void close() {
        ForkChannel channel = fork;
        Runnable closed = onClose;
        onClose = null;
        if (channel != null && closed != null) {
            channel.close();
            closed.run();
        }
    }

    // What users of jgroups-raft call.

    @Override
    public CompletableFuture<byte[]> setAsync(byte[] buf, int offset, int length, @Nullable Options options) {
        return result(port.propose(Arrays.copyOfRange(buf, offset, offset + length)), options);
    }

    @Override
    public CompletableFuture<byte[]> getAsync(byte[] buf, int offset, int length, @Nullable Options options) {
        return result(port.read(Arrays.copyOfRange(buf, offset, offset + length)), options);
    }

    /** Commands of the protocol itself do not exist here: {@code internal} must be false. */
    @Override
    public CompletableFuture<byte[]> setAsync(
            byte[] buf, int offset, int length, boolean internal, @Nullable Options options) {
        if (internal) {
            throw refused("internal commands");
        }
        return setAsync(buf, offset, length, options);
    }

    private static CompletableFuture<byte[]> result(CompletableFuture<byte[]> answer, @Nullable Options options) {
        return options != null && options.ignoreReturnValue() ? answer.thenApply(bytes -> EMPTY) : answer;
    }

    private static final byte[] EMPTY = new byte[0];

    @Override
    @ManagedAttribute(description = "The current leader, null if none is known")
    @SuppressWarnings("NullAway") // as in the base class
    public @Nullable Address leader() {
        String name = port.leaderName();
        return name == null ? null : addressOf(name);
    }

    @Override
    public boolean isLeader() {
        return port.role() == ShardRole.LEADER;
    }

    @Override
    @ManagedAttribute(description = "The current role")
    public String role() {
        return jgroupsRole(port.role()).name();
    }

    @Override
    @ManagedAttribute(description = "The current term")
    public long currentTerm() {
        return port.term();
    }

    @Override
    @ManagedAttribute(description = "Index of the highest entry in the log", type = AttributeType.SCALAR)
    public long lastAppended() {
        return port.lastAppended();
    }

    @Override
    @ManagedAttribute(description = "Index of the last committed entry", type = AttributeType.SCALAR)
    public long commitIndex() {
        return port.commitIndex();
    }

    @Override
    @ManagedAttribute(description = "The names of the voting members")
    public List<String> members() {
        return List.copyOf(port.members());
    }

    @Override
    @ManagedAttribute(description = "How many voters make a majority")
    public int majority() {
        return port.members().size() / 2 + 1;
    }

    @Override
    public RAFT addRoleListener(RoleChange listener) {
        listeners.add(listener);
        return this;
    }

    @Override
    public RAFT remRoleListener(RoleChange listener) {
        listeners.remove(listener);
        return this;
    }

    /** The replica's role changed: tells the role listeners, in order, on a thread of their own. */
    public void roleChanged(ShardRole role) {
        if (listeners.isEmpty()) {
            return;
        }
        Role shown = jgroupsRole(role);
        synchronized (roles) {
            told = told.thenRunAsync(
                    () -> {
                        for (RoleChange listener : listeners) {
                            try {
                                listener.roleChanged(shown);
                            } catch (RuntimeException e) {
                                slf4j.warn("a role listener of the shard {} failed", groupName, e);
                            }
                        }
                    },
                    task -> threads.thread("roles", task).start());
        }
    }

    private static Role jgroupsRole(ShardRole role) {
        return switch (role) {
            case LEADER -> Role.Leader;
            case FOLLOWER -> Role.Follower;
            case LEARNER -> Role.Learner;
        };
    }

    private @Nullable Address addressOf(String name) {
        View view = current;
        if (view != null) {
            for (Address address : view.getMembers()) {
                if (ViewTracker.nameOf(address).equals(name)) {
                    return address;
                }
            }
        }
        return null;
    }

    // The life of a protocol.

    /** The base class would add an address generator per fork, and make a queue and a thread. */
    @Override
    public void init() {}

    /** The base class would open a log and start a thread. */
    @Override
    public void start() {}

    @Override
    public void stop() {}

    @Override
    public Object down(Event evt) {
        if (evt.getType() == Event.VIEW_CHANGE) {
            handleView(evt.getArg());
        }
        return down_prot.down(evt);
    }

    @Override
    public Object up(Event evt) {
        if (evt.getType() == Event.VIEW_CHANGE) {
            handleView(evt.getArg());
        }
        return up_prot.up(evt);
    }

    /** Drops what a stock RAFT or ELECTION protocol sends. */
    @Override
    @SuppressWarnings("NullAway") // null means: taken, as everywhere in JGroups
    public @Nullable Object up(Message msg) {
        return isStock(msg) ? null : up_prot.up(msg);
    }

    @Override
    public void up(MessageBatch batch) {
        for (Iterator<Message> it = batch.iterator(); it.hasNext(); ) {
            if (isStock(it.next())) {
                it.remove();
            }
        }
        if (!batch.isEmpty()) {
            up_prot.up(batch);
        }
    }

    private static boolean isStock(Message msg) {
        return msg.getHeader(RAFT_ID) != null
                || msg.getHeader(ELECTION_ID) != null
                || msg.getHeader(PROTOCOL_ID) != null;
    }

    private static final short ELECTION_ID = 520;

    @Override
    public void handleView(View view) {
        current = view;
    }

    // Attributes without a meaning here.

    @Override
    public int processingQueueSize() {
        return 0;
    }

    @Override
    public String drainRatio() {
        return "n/a";
    }

    @Override
    public long logSize() {
        return port.lastAppended();
    }

    @Override
    public long logSizeInBytes() {
        return 0;
    }

    @Override
    public String logDescription() {
        return "the node's log, shared by its shards";
    }

    @Override
    public boolean logUseFsync() {
        return true;
    }

    @Override
    @SuppressWarnings("NullAway")
    public @Nullable Log log() {
        return null; // also asked by the base class's constructor
    }

    @Override
    @SuppressWarnings("NullAway")
    public @Nullable Address votedFor() {
        return null;
    }

    @Override
    @SuppressWarnings("NullAway")
    public @Nullable StateMachine stateMachine() {
        return null;
    }

    @Override
    @SuppressWarnings("NullAway")
    public @Nullable CommitTable commitTable() {
        return null;
    }

    @Override
    public String dumpCommitTable() {
        return "n/a";
    }

    @Override
    @ManagedOperation(description = "Not available: the log is the node's")
    public String dumpLog(long last_n) {
        return "n/a";
    }

    @Override
    public String dumpLog() {
        return "n/a";
    }

    @Override
    public String toString() {
        return "ShardRaft " + groupName + ": " + role() + " term=" + currentTerm() + " commit=" + commitIndex()
                + " last-appended=" + lastAppended();
    }

    // Refused.

    private static UnsupportedOperationException refused(String what) {
        return new UnsupportedOperationException(
                what + " of the stock Raft protocol: a shard's replica decides by itself and this is only its face");
    }

    /** The shard has its own state machine; RaftHandle's constructor passes null. */
    @Override
    public RAFT stateMachine(@Nullable StateMachine sm) {
        if (sm != null) {
            throw refused("setting the state machine");
        }
        return this;
    }

    /** As called by the base class's constructor and by its setters, which are refused. */
    @Override
    protected void computeMajority() {}

    @Override
    public RAFT raftId(String id) {
        throw refused("the id");
    }

    @Override
    public RaftImpl impl() {
        throw refused("the role objects");
    }

    @Override
    public RAFT logClass(String clazz) {
        throw refused("the log");
    }

    @Override
    public RAFT logArgs(String args) {
        throw refused("the log");
    }

    @Override
    public RAFT logPrefix(String name) {
        throw refused("the log");
    }

    @Override
    public RAFT logDir(String dir) {
        throw refused("the log");
    }

    @Override
    public RAFT logUseFsync(boolean b) {
        throw refused("the log");
    }

    @Override
    public RAFT maxLogCacheSize(int size) {
        throw refused("the log cache");
    }

    @Override
    public RAFT resendInterval(long val) {
        throw refused("resending");
    }

    @Override
    public RAFT sendCommitsImmediately(boolean v) {
        throw refused("commit messages");
    }

    @Override
    public RAFT maxLogSize(long val) {
        throw refused("snapshots");
    }

    @Override
    public RAFT leader(Address newLeader) {
        throw refused("setting the leader");
    }

    @Override
    public RAFT log(Log newLog) {
        throw refused("the log");
    }

    @Override
    public RAFT stateMachineLoaded(boolean b) {
        throw refused("the state machine");
    }

    @Override
    public RAFT synchronous(boolean b) {
        throw refused("the synchronous mode");
    }

    @Override
    public void setMembers(String list) {
        throw refused("setting the members");
    }

    @Override
    public RAFT members(Collection<String> list) {
        throw refused("setting the members");
    }

    @Override
    public int currentTerm(long newTerm) {
        throw refused("setting the term");
    }

    @Override
    public RAFT votedFor(Address mbr) {
        throw refused("voting");
    }

    @Override
    public void enableLogCache() {
        throw refused("the log cache");
    }

    @Override
    public void disableLogCache() {
        throw refused("the log cache");
    }

    @Override
    public RAFT clearLogCache() {
        throw refused("the log cache");
    }

    @Override
    public RAFT trimLogCache() {
        throw refused("the log cache");
    }

    @Override
    public void logEntries(ObjLongConsumer<LogEntry> func) {
        throw refused("the log");
    }

    @Override
    public long createNewTerm() {
        throw refused("setting the term");
    }

    @Override
    public CompletableFuture<byte[]> addServer(String name) {
        throw refused("changing the members");
    }

    @Override
    public CompletableFuture<byte[]> removeServer(String name) {
        throw refused("changing the members");
    }

    @Override
    public void snapshot() {
        throw refused("snapshots");
    }

    @Override
    public CompletableFuture<Void> snapshotAsync() {
        throw refused("snapshots");
    }

    @Override
    public void initStateMachineFromLog() {
        throw refused("the state machine");
    }

    @Override
    public void flushCommitTable() {
        throw refused("resending");
    }

    @Override
    public void flushCommitTable(Address member) {
        throw refused("resending");
    }

    @Override
    protected void add(Request r) {
        throw refused("the queue");
    }

    @Override
    protected void offer(Request r) {
        throw refused("the queue");
    }

    @Override
    protected void handleDownRequest(
            CompletableFuture<byte[]> f,
            byte[] buf,
            int offset,
            int length,
            boolean internal,
            Options opts,
            boolean readOnly) {
        throw refused("appending and reading");
    }

    @Override
    public void handleUpRequest(Message msg, RaftHeader hdr) {
        throw refused("the messages");
    }

    @Override
    protected void processQueue() {
        throw refused("the queue");
    }

    @Override
    protected void process(List<Request> q) {
        throw refused("the queue");
    }

    @Override
    protected void createRequestTable() {
        throw refused("the request table");
    }

    @Override
    protected void createCommitTable() {
        throw refused("the commit table");
    }

    @Override
    protected void _addServer(String name) {
        throw refused("changing the members");
    }

    @Override
    protected void _removeServer(String name) {
        throw refused("changing the members");
    }

    @Override
    protected void sendAppendEntriesMessage(Address member, CommitTable.Entry e) {
        throw refused("replication");
    }

    @Override
    protected CompletableFuture<byte[]> changeMembers(String name, InternalCommand.Type type) {
        throw refused("changing the members");
    }

    @Override
    protected void resend(Address target, long index) {
        throw refused("resending");
    }

    @Override
    protected void resend(Address target, long from, long to) {
        throw refused("resending");
    }

    @Override
    protected void sendSnapshotTo(Address dest) {
        throw refused("snapshots");
    }

    @Override
    protected RAFT commitLogTo(long index, boolean serializeResponse) {
        throw refused("committing");
    }

    @Override
    protected boolean append(long index, LogEntries entries) {
        throw refused("appending");
    }

    @Override
    protected void deleteAllLogEntriesStartingFrom(long index) {
        throw refused("the log");
    }

    @Override
    protected void snapshotIfNeeded(int bytesAdded) {
        throw refused("snapshots");
    }

    @Override
    protected void takeSnapshot() {
        throw refused("snapshots");
    }

    @Override
    protected long applyCommits(long to, boolean serializeResponse) {
        throw refused("applying");
    }

    @Override
    protected void applyCommit(long index, boolean serializeResponse) {
        throw refused("applying");
    }

    @Override
    public RAFT setLeaderAndTerm(Address newLeader) {
        throw refused("setting the leader");
    }

    @Override
    public RAFT setLeaderAndTerm(Address newLeader, long newTerm) {
        throw refused("setting the leader");
    }

    @Override
    public int trySetLeaderAndTerm(Address newLeader, long newTerm) {
        throw refused("setting the leader");
    }

    @Override
    protected RAFT changeRole(Role newRole) {
        throw refused("changing the role");
    }

    @Override
    protected void executeInternalCommand(InternalCommand cmd, byte[] buf, int offset, int length) {
        throw refused("internal commands");
    }

    @Override
    protected String createLogName(String name, String suffix) {
        throw refused("the log");
    }

    @Override
    protected void notifyRoleChangeListeners(Role role) {
        throw refused("changing the role");
    }
}
