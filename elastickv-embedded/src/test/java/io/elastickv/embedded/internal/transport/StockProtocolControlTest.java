package io.elastickv.embedded.internal.transport;

import static io.elastickv.embedded.internal.transport.StockNode.entry;
import static io.elastickv.embedded.internal.transport.StockNode.exchange;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.ThrowableAssert;
import org.jgroups.Address;
import org.jgroups.EmptyMessage;
import org.jgroups.Message;
import org.jgroups.ObjectMessage;
import org.jgroups.View;
import org.jgroups.protocols.raft.AppendEntriesRequest;
import org.jgroups.protocols.raft.FileBasedLog;
import org.jgroups.protocols.raft.InstallSnapshotRequest;
import org.jgroups.protocols.raft.Log;
import org.jgroups.protocols.raft.LogEntries;
import org.jgroups.protocols.raft.LogEntry;
import org.jgroups.protocols.raft.RAFT;
import org.jgroups.protocols.raft.election.VoteRequest;
import org.jgroups.protocols.raft.election.VoteResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The findings of docs/jgroups-raft-findings.md about the stock RAFT and ELECTION, with their own log and over a wire that
 * the test holds in its hands: see StockNode. Each test is a control: if a new release of jgroups-raft fails it, the finding
 * is to be looked at again.
 */
@Timeout(30)
class StockProtocolControlTest {
    private static final List<String> MEMBERS = List.of("A", "B", "C");

    @TempDir
    private Path directory;

    private final List<StockNode> nodes = new ArrayList<>();
    private StockNode a;
    private StockNode b;
    private StockNode c;

    @AfterEach
    void close() {
        nodes.forEach(StockNode::close);
    }

    /** A, B and C, in one view. */
    private void startThree() throws Exception {
        a = start("A");
        b = start("B");
        c = start("C");
        view(a, b, c);
    }

    private StockNode start(String name) throws Exception {
        return start(name, MEMBERS);
    }

    private StockNode start(String name, List<String> members) throws Exception {
        StockNode node = new StockNode(directory, name, members).start();
        nodes.add(node);
        return node;
    }

    /** Its log can be opened and read, but nothing can be written. */
    private StockNode startOnAFullDisk(String name) throws Exception {
        Path log = StockNode.logOf(directory, name);
        Files.createDirectories(log);
        Path link = Files.createSymbolicLink(log.resolve("entries.raft"), Path.of("/dev/full"));
        StockNode node = start(name);
        Files.delete(link); // it is open
        return node;
    }

    private void seed(String name, LogEntry... entries) throws Exception {
        StockNode.seed(directory, name, entries);
    }

    /** All of them see each other; who is reached is up to the test. */
    private static void view(StockNode... seen) {
        List<Address> addresses = new ArrayList<>();
        for (StockNode node : seen) {
            addresses.add(node.address);
        }
        View view = View.create(addresses.get(0), 1, addresses);
        for (StockNode node : seen) {
            node.raft.handleView(view);
            node.election.see(view);
        }
    }

    private static LogEntry last(StockNode node) {
        return at(node, node.raft.log().lastAppended());
    }

    private static LogEntry at(StockNode node, long index) {
        return Objects.requireNonNull(node.raft.log().get(index));
    }

    private static String command(LogEntry entry) {
        return new String(entry.command(), entry.offset(), entry.length(), UTF_8);
    }

    private static String text(CompletableFuture<byte[]> done) {
        assertThat(done).isCompleted();
        return new String(done.join(), UTF_8);
    }

    private static Message append(
            StockNode from, long term, long previous, long previousTerm, long commit, LogEntry... entries) {
        long entryTerm = entries.length == 0 ? term : entries[0].term();
        Message message = new ObjectMessage(null, LogEntries.create(entries))
                .putHeader(
                        from.raft.getId(),
                        new AppendEntriesRequest(from.address, term, previous, previousTerm, entryTerm, commit));
        return message.setSrc(from.address);
    }

    private static String result(List<Message> messages, StockNode from) {
        assertThat(messages).hasSize(1);
        String answer = messages.get(0).getHeader(from.raft.getId()).toString();
        return answer.substring(answer.indexOf("result: ") + "result: ".length());
    }

    private static String messageOf(ThrowableAssert.ThrowingCallable call) {
        return Objects.requireNonNull(catchThrowable(call).getMessage());
    }

    private static Message voteRequest(StockNode from, long term) {
        return new EmptyMessage(null)
                .putHeader(from.election.getId(), new VoteRequest(term))
                .setSrc(from.address);
    }

    private static List<VoteResponse> votes(List<Message> messages, StockNode voter, StockNode candidate) {
        List<VoteResponse> votes = new ArrayList<>();
        for (Message message : messages) {
            if (candidate.address.equals(message.dest())
                    && message.getHeader(voter.election.getId()) instanceof VoteResponse vote) {
                votes.add(vote);
            }
        }
        return votes;
    }

    @Test
    void twoLeadersCommitDifferentEntriesAtOneIndex() throws Exception {
        startThree();
        a.lead(2);
        a.submit("x");
        a.take(); // lost: only A has x
        c.lead(3);
        c.submit("y");
        c.take(); // lost: only C has y

        // A and B vote; A's log is the better one.
        a.lead(4);
        a.raft.flushCommitTable();
        exchange(a, b);
        assertThat(a.applied).containsExactly("x");
        assertThat(b.raft.log().lastAppended()).isEqualTo(1);

        // B and C vote. The last term decides, and C's is the higher one.
        assertThat(last(c).term()).isGreaterThan(last(b).term());
        c.lead(5);
        c.raft.flushCommitTable();
        exchange(c, b);

        // A correct leader commits no entry of an earlier term before one of its own.
        assertThat(c.applied).containsExactly("y");
        assertThat(a.applied).containsExactly("x");
        assertThat(a.raft.commitIndex()).isEqualTo(1);
        assertThat(c.raft.commitIndex()).isEqualTo(1);
    }

    @Test
    void aNewLeaderAnswersAReadThatMissesAnAcknowledgedWrite() throws Exception {
        startThree();
        c.lead(1);
        CompletableFuture<byte[]> write = c.set("acknowledged");
        exchange(c, a);
        assertThat(text(write)).isEqualTo("acknowledged");

        // C is gone; A has the write and leads.
        a.lead(2);
        CompletableFuture<byte[]> read = a.raft.readAlongWithAWrite("get", "next");
        assertThat(read).isNotDone();
        exchange(a, b); // B has no entry 1
        for (int i = 0; i < 3 && !read.isDone(); i++) {
            a.raft.flushCommitTable();
            exchange(a, b);
        }
        assertThat(text(read)).isEmpty();
        assertThat(a.applied).contains("acknowledged");
    }

    @Test
    void anEmptyRequestMakesAFollowerCommitWhatItsLeaderDoesNotHave() throws Exception {
        seed("A", entry(1, "a"));
        seed("B", entry(1, "a"), entry(2, "y")); // B led term 2 and reached nobody
        seed("C", entry(1, "a"));
        startThree();
        a.lead(3);
        a.submit("x");
        exchange(a, c);
        assertThat(a.applied).containsExactly("a", "x");

        // A read: the leader sends everybody a request without entries.
        CompletableFuture<byte[]> read = a.get();
        assertThat(read).isNotDone();
        exchange(a, b);
        assertThat(b.applied).containsExactly("a", "y");
        assertThat(b.raft.commitIndex()).isEqualTo(2);

        // Nothing repairs it: the leader takes B for up to date.
        a.raft.flushCommitTable();
        assertThat(a.take()).noneMatch(m -> b.address.equals(m.dest()));
        assertThat(command(at(b, 2))).isEqualTo("y");
    }

    @Test
    void aFollowerAcknowledgesEntriesThatTheLeaderHasNotSentIt() throws Exception {
        seed("A", entry(1, "a"), entry(2, "b"));
        seed("B", entry(1, "a"), entry(2, "b"), entry(2, "y")); // B led term 2, and its last entry reached nobody
        seed("C", entry(1, "a"), entry(2, "b"));
        startThree();
        a.lead(3);
        a.raft.flushCommitTable(); // sends entry 2, the last one
        List<Message> resent = a.take();
        CompletableFuture<byte[]> write = a.set("x");
        a.take(); // on its way when A crashes

        resent.forEach(b::receive);
        b.take().forEach(a::receive);

        // Only A has it.
        assertThat(text(write)).isEqualTo("a,b,x");
        assertThat(command(at(b, 3))).isEqualTo("y");
        assertThat(c.raft.log().lastAppended()).isEqualTo(2);
    }

    @Test
    void aFollowerAcknowledgesABatchThatItDoesNotStore() throws Exception {
        seed("A", entry(1, "a"), entry(2, "b"));
        seed("B", entry(1, "a"), entry(2, "b"), entry(2, "y"));
        a = start("A");
        b = start("B");
        view(a, b);
        a.lead(3);
        a.raft.flushCommitTable();
        exchange(a, b);
        CompletableFuture<byte[]> write = a.set("x");
        a.take(); // the multicast is late
        assertThat(write).isNotDone();

        // The leader sends entries 1 to 3. Then it tells B what is committed.
        a.raft.flushCommitTable();
        exchange(a, b);
        assertThat(text(write)).isEqualTo("a,b,x");
        assertThat(command(at(b, 3))).isEqualTo("y");
        a.raft.flushCommitTable();
        exchange(a, b);
        assertThat(b.applied).containsExactly("a", "b", "y");
    }

    @Test
    void aFollowerDeletesACommittedEntryThatItHasAcknowledgedAndThatMatches() throws Exception {
        List<String> five = List.of("A", "B", "C", "D", "E");
        a = start("A", five);
        b = start("B", five);
        c = start("C", five);
        view(a, b, c);
        c.lead(1);
        CompletableFuture<byte[]> write = c.set("one");
        List<Message> toAll = c.take();
        c.submit("two");
        List<Message> toB = c.take();
        toAll.forEach(a::receive);
        toAll.forEach(b::receive);
        toB.forEach(b::receive);
        a.take().forEach(c::receive);
        b.take().forEach(c::receive);
        assertThat(text(write)).isEqualTo("one"); // three of five have it

        // A leads with the votes of D and E, which have nothing. It has two entries after the first one.
        a.lead(2);
        a.submit("three");
        a.take(); // has not reached B
        a.submit("four");
        a.take().forEach(b::receive);
        assertThat(command(at(a, 1))).isEqualTo("one");
        assertThat(b.raft.log().lastAppended()).isZero(); // two of five have it
    }

    @Test
    @EnabledOnOs(OS.LINUX) // has /dev/full
    void aFullDiskIsAcknowledgedAndCommitted() throws Exception {
        a = start("A");
        b = startOnAFullDisk("B");
        c = startOnAFullDisk("C");
        view(a, b, c);
        a.lead(1);
        String big = "-".repeat(5_000); // without room after it, so that it is the write that fails
        CompletableFuture<byte[]> write = a.set(big);
        exchange(a, b);
        assertThat(text(write)).isEqualTo(big);
        assertThat(b.raft.log().lastAppended()).isZero();
        assertThat(c.raft.log().lastAppended()).isZero();
    }

    @Test
    void anExceptionInApplyIsSwallowedAndTheReplicaGoesOn() throws Exception {
        a = start("A");
        b = start("B");
        view(a, b);
        b.failing = "one";
        a.lead(1);
        a.submit("one");
        exchange(a, b);
        a.submit("two");
        exchange(a, b);
        a.raft.flushCommitTable();
        exchange(a, b);
        assertThat(a.applied).containsExactly("one", "two");
        assertThat(b.applied).containsExactly("two");
        assertThat(b.raft.commitIndex()).isEqualTo(2);
        assertThat(b.raft.role()).isEqualTo("Follower");
    }

    @Test
    void aSecondCopyOfASnapshotRemovesAcknowledgedEntries() throws Exception {
        startThree();
        a.lead(1);
        a.submit("one");
        a.submit("two");
        exchange(a, c);
        a.raft.snapshotNow();
        // B has no entry 1, and the leader no longer has it. At the second interval the first snapshot is not yet
        // answered.
        a.raft.flushCommitTable();
        a.raft.flushCommitTable();
        List<Message> snapshots = a.take().stream()
                .filter(m -> m.getHeader(a.raft.getId()) instanceof InstallSnapshotRequest)
                .toList();
        assertThat(snapshots).hasSize(2);

        b.receive(snapshots.get(0));
        exchange(b, a);
        CompletableFuture<byte[]> write = a.set("three");
        exchange(a, b);
        assertThat(text(write)).isEqualTo("one,two,three");
        assertThat(b.raft.log().lastAppended()).isEqualTo(3);

        b.receive(snapshots.get(1));
        assertThat(b.raft.log().lastAppended()).isEqualTo(2);
        assertThat(b.raft.lastAppended()).isEqualTo(2);
        assertThat(c.raft.log().lastAppended()).isEqualTo(2);
    }

    @Test
    void oneNodeVotesTwiceInOneTermAcrossARestart() throws Exception {
        startThree();
        b.receive(voteRequest(a, 5));
        assertThat(votes(b.take(), b, a)).hasSize(1);
        b.receive(voteRequest(c, 5));
        assertThat(votes(b.take(), b, c)).isEmpty();

        // A leads term 5, and sends what it has of term 1.
        b.receive(append(a, 5, 0, 0, 0, entry(1, "old")));
        assertThat(b.raft.currentTerm()).isEqualTo(5);
        assertThat(b.raft.log().currentTerm()).isEqualTo(1);

        nodes.remove(b);
        b.close();
        StockNode again = start("B");
        again.receive(voteRequest(c, 5));
        List<VoteResponse> second = votes(again.take(), again, c);
        assertThat(second).hasSize(1);
        assertThat(second.get(0).currTerm()).isEqualTo(5);
    }

    @Test
    void aLateVoteOfAnEarlierRoundMakesTwoLeadersInOneTerm() throws Exception {
        startThree();
        a.election.voteTimeout(50);
        b.election.voteTimeout(50);

        // First round of A: B votes in term 1, but its answer is late.
        List<Message> late = new ArrayList<>();
        a.onVoteRequest = () -> {
            List<Message> request = a.take();
            request.forEach(a::receive);
            request.forEach(b::receive);
            late.addAll(b.take());
            a.take().forEach(a::receive);
        };
        a.election.round();
        assertThat(a.raft.leader()).isNull();
        assertThat(late).hasSize(1);

        // Second round, term 2: the answer to the first one arrives, and nobody else is reached.
        a.onVoteRequest = () -> {
            a.take().forEach(a::receive);
            a.take().forEach(a::receive);
            late.forEach(a::receive);
        };
        a.election.round();
        assertThat(a.raft.isLeader()).isTrue();
        assertThat(a.raft.currentTerm()).isEqualTo(2);

        // Meanwhile B and C, without A, vote in term 2.
        b.election.see(View.create(b.address, 2, List.of(b.address, c.address)));
        b.onVoteRequest = () -> {
            List<Message> request = b.take();
            request.forEach(b::receive);
            request.forEach(c::receive);
            b.take().forEach(b::receive);
            c.take().forEach(b::receive);
        };
        b.election.round();
        assertThat(b.raft.isLeader()).isTrue();
        assertThat(b.raft.currentTerm()).isEqualTo(2);
        assertThat(a.raft.isLeader()).isTrue();
    }

    @Test
    void aCrashBetweenSnapshotAndTruncationAppliesEntriesTwice() throws Exception {
        seed("A", entry(1, "one"), entry(1, "two"));
        try (Log log = StockNode.openLog(directory, "A")) {
            log.commitIndex(2);
        }
        StockNode before = start("A");
        assertThat(before.applied).containsExactly("one", "two");
        Path entries = StockNode.logOf(directory, "A").resolve("entries.raft");
        byte[] untruncated = Files.readAllBytes(entries);
        before.raft.snapshotNow();

        nodes.remove(before);
        before.close();
        Files.write(entries, untruncated); // as if the process had died before it truncated the log
        assertThat(start("A").applied).containsExactly("one", "two", "one", "two");
    }

    @Test
    void aRestartAfterAnInstalledSnapshotLosesAnAcknowledgedWrite() throws Exception {
        startThree();
        b.raft.logUseFsync(true);
        a.lead(1);
        a.submit("one");
        a.submit("two");
        exchange(a, c);
        a.raft.snapshotNow();
        a.raft.flushCommitTable();
        exchange(a, b); // the snapshot
        CompletableFuture<byte[]> write = a.set("three");
        exchange(a, b);
        assertThat(text(write)).isEqualTo("one,two,three");

        nodes.remove(b);
        b.close();
        StockNode again = start("B");
        assertThat(again.raft.log().lastAppended()).isZero();

        // A crashes. B and C vote: C's log, without the write, is the better one.
        c.receive(voteRequest(again, 2));
        VoteResponse vote = votes(c.take(), c, again).get(0);
        assertThat(vote.toString()).contains("last_log_index=2");
        again.receive(voteRequest(c, 3));
        vote = votes(again.take(), again, c).get(0);
        assertThat(vote.toString()).contains("last_log_term=0", "last_log_index=0");
    }

    @Test
    void aFollowerWhoseLogEndsBeforeItsCommitIndexStoresNothingThatItIsSent() throws Exception {
        seed("B", entry(1, "one"), entry(1, "two"), entry(1, "three"));
        try (Log log = StockNode.openLog(directory, "B")) {
            log.commitIndex(3);
        }
        Path entries = StockNode.logOf(directory, "B").resolve("entries.raft");
        try (RandomAccessFile file = new RandomAccessFile(entries.toFile(), "rw")) {
            file.setLength(StockLogControlTest.HEADER
                    + "one".length()); // what a power loss leaves of a file that was not forced to disk
        }
        a = start("A");
        b = start("B");
        assertThat(b.applied).containsExactly("one");
        assertThat(b.raft.commitIndex()).isEqualTo(3);

        // It asks for what it lacks, answers that it is well, and asks again: the leader has nothing else to send.
        for (int i = 0; i < 3; i++) {
            b.receive(append(a, 1, 3, 1, 3, entry(1, "four")));
            assertThat(result(b.take(), b)).startsWith("false (FAIL_ENTRY_NOT_FOUND), index=1");
            b.receive(append(a, 1, 1, 1, 3, entry(1, "two"), entry(1, "three"), entry(1, "four")));
            assertThat(result(b.take(), b)).startsWith("true, index=1");
        }
        assertThat(b.raft.log().lastAppended()).isEqualTo(1);
        assertThat(b.applied).containsExactly("one");
    }

    @Test
    void aWriteThatFailedForLackOfALeaderIsCommittedLater() throws Exception {
        startThree();
        String refusal = "I'm not the leader";
        assertThatThrownBy(() -> a.submit("never sent")).hasMessageContaining(refusal);

        a.lead(1);
        CompletableFuture<byte[]> write = a.set("sent");
        a.take().forEach(b::receive);
        a.raft.setLeaderAndTerm(null); // what ELECTION does when the view has no majority
        assertThat(write).isCompletedExceptionally();
        assertThatThrownBy(write::join).hasRootCauseInstanceOf(IllegalStateException.class);
        assertThatThrownBy(write::join).hasRootCauseMessage(messageOf(() -> a.submit("never sent")));

        b.lead(2);
        b.raft.flushCommitTable();
        exchange(b, c);
        assertThat(b.applied).containsExactly("sent");
    }

    @Test
    void theProtocolSwitchesTheLogsFsyncOffAndKeepsItInTheTemporaryDirectory() throws Exception {
        assertThat(new FileBasedLog().useFsync()).isTrue();
        assertThat(start("A").raft.logUseFsync()).isFalse();
        StockNode.Raft untouched = new StockNode.Raft();
        assertThat(untouched.directory()).isIn(System.getProperty("java.io.tmpdir"), "/tmp");
        assertThat(new RAFT().logClass()).isEqualTo(FileBasedLog.class.getName());
    }
}
