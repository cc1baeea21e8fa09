package io.elastickv.embedded.internal.transport;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jgroups.Address;
import org.jgroups.Message;
import org.jgroups.View;
import org.jgroups.protocols.raft.ELECTION;
import org.jgroups.protocols.raft.FileBasedLog;
import org.jgroups.protocols.raft.Log;
import org.jgroups.protocols.raft.LogEntries;
import org.jgroups.protocols.raft.LogEntry;
import org.jgroups.protocols.raft.RAFT;
import org.jgroups.protocols.raft.election.BaseElection;
import org.jgroups.protocols.raft.election.VoteRequest;
import org.jgroups.raft.StateMachine;
import org.jgroups.stack.Protocol;
import org.jgroups.util.ExtendedUUID;
import org.jgroups.util.Util;

/**
 * The stock ELECTION and RAFT over a wire that the test holds in its hands: no channel, no threads. What the node sends waits
 * in a list until the test delivers or drops it. The stock RAFT offers this itself ("synchronous").
 */
final class StockNode implements AutoCloseable {
    /** RAFT with those methods within reach that its own threads call. */
    static final class Raft extends RAFT {
        Raft() {
            id = RAFT_ID; // JGroups knows the ids of the stock classes only, by their names
        }

        void snapshotNow() throws Exception {
            takeSnapshot();
        }

        /** One batch of the queue: a read followed by a write, as two clients send them at the same time. */
        CompletableFuture<byte[]> readAlongWithAWrite(String read, String write) {
            byte[] query = read.getBytes(UTF_8);
            byte[] command = write.getBytes(UTF_8);
            CompletableFuture<byte[]> answer = new CompletableFuture<>();
            process(List.of(
                    new DownRequest(answer, query, 0, query.length, false, null, true),
                    new DownRequest(new CompletableFuture<>(), command, 0, command.length, false, null, false)));
            return answer;
        }

        String directory() {
            return log_dir;
        }
    }

    /** ELECTION whose rounds the test starts. */
    static final class Election extends ELECTION {
        Election() {
            id = ELECTION_ID;
        }

        void see(View seen) {
            view = seen;
        }

        void round() {
            runVotingProcess();
        }

        @Override
        public BaseElection startVotingThread() {
            return this;
        }
    }

    /** Where the node's messages end. */
    private final class Wire extends Protocol {
        @Override
        public Object down(Message message) {
            message.setSrc(address);
            sent.add(message);
            if (message.getHeader(election.getId()) instanceof VoteRequest) {
                onVoteRequest.run();
            }
            return message;
        }
    }

    /** Remembers the commands in their order; "get" answers with all of them. */
    final class Commands implements StateMachine {
        @Override
        public byte[] apply(byte[] data, int offset, int length, boolean serialize) throws Exception {
            String command = new String(data, offset, length, UTF_8);
            if (command.equals(failing)) {
                throw new IOException("out of space, say");
            }
            if (!command.equals("get")) {
                applied.add(command);
            }
            return String.join(",", applied).getBytes(UTF_8);
        }

        @Override
        public void readContentFrom(DataInput in) throws IOException {
            applied.clear();
            int size = in.readInt();
            for (int i = 0; i < size; i++) {
                applied.add(in.readUTF());
            }
        }

        @Override
        public void writeContentTo(DataOutput out) throws IOException {
            out.writeInt(applied.size());
            for (String command : applied) {
                out.writeUTF(command);
            }
        }
    }

    final Raft raft = new Raft();
    final Election election = new Election();
    final List<String> applied = new ArrayList<>();
    final Address address;
    Runnable onVoteRequest = () -> {};
    String failing = "";
    private List<Message> sent = new ArrayList<>();

    StockNode(Path directory, String name, List<String> members) {
        address = ExtendedUUID.randomUUID(name).put(RAFT.raft_id_key, Util.stringToBytes(name));
        raft.members(members).raftId(name).logDir(directory.toString()).logPrefix(name);
        // Resends only when the test says so.
        raft.resendInterval(3_600_000).synchronous(true).stateMachine(new Commands());
        Wire wire = new Wire();
        election.setDownProtocol(wire);
        election.setUpProtocol(raft);
        raft.setDownProtocol(election);
        election.setAddress(address);
        raft.setAddress(address);
    }

    /** Where RAFT.createLogName puts the log. */
    static Path logOf(Path directory, String name) {
        return directory.resolve(name + ".log");
    }

    static Log openLog(Path directory, String name) throws Exception {
        Log log = new FileBasedLog();
        log.init(logOf(directory, name).toString(), Map.of());
        return log;
    }

    static LogEntry entry(long term, String command) {
        return new LogEntry(term, command.getBytes(UTF_8));
    }

    /** What the node's log holds from earlier terms. */
    static void seed(Path directory, String name, LogEntry... entries) throws Exception {
        try (Log log = openLog(directory, name)) {
            log.append(1, LogEntries.create(entries));
        }
    }

    StockNode start() throws Exception {
        election.init();
        raft.init();
        raft.start();
        return this;
    }

    /** What ELECTION does with the outcome of a round. */
    void lead(long term) {
        raft.currentTerm(term - 1); // it has heard of the term before, and stepped down if it led
        raft.setLeaderAndTerm(address, term);
    }

    CompletableFuture<byte[]> set(String command) {
        byte[] bytes = command.getBytes(UTF_8);
        return raft.setAsync(bytes, 0, bytes.length, null);
    }

    /** A write whose answer nobody waits for. */
    void submit(String command) {
        CompletableFuture<byte[]> unused = set(command);
    }

    CompletableFuture<byte[]> get() throws Exception {
        byte[] bytes = "get".getBytes(UTF_8);
        return raft.getAsync(bytes, 0, bytes.length, null);
    }

    /** What the node has sent since the last call. */
    List<Message> take() {
        List<Message> taken = sent;
        sent = new ArrayList<>();
        return taken;
    }

    void receive(Message message) {
        if (message.dest() == null || message.dest().equals(address)) {
            election.up(message);
        }
    }

    /** Delivers between these two until they have nothing more to say; what they send to others is lost. */
    static void exchange(StockNode one, StockNode other) {
        for (int i = 0; i < 100; i++) {
            List<Message> there = one.take();
            there.forEach(other::receive);
            List<Message> back = other.take();
            back.forEach(one::receive);
            if (there.isEmpty() && back.isEmpty()) {
                return;
            }
        }
        throw new AssertionError("no end to it");
    }

    @Override
    public void close() {
        raft.stop();
    }
}
