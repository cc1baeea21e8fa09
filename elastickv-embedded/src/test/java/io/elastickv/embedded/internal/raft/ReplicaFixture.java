package io.elastickv.embedded.internal.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.core.RaftConfig;
import io.elastickv.embedded.internal.raft.core.RaftCore;
import io.elastickv.embedded.internal.raft.core.RaftMessage;
import io.elastickv.embedded.internal.raft.core.RestoredState;
import io.elastickv.embedded.internal.raft.core.Role;
import io.elastickv.embedded.internal.raft.log.GroupLog;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import io.elastickv.embedded.internal.raft.log.NodeLogOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The replica of n1 on a real log, among voters that the test plays: what it sends is kept, what they say is made up. */
public final class ReplicaFixture implements AutoCloseable {

    static final int GROUP = 3;

    record Sent(String to, RaftMessage message) {}

    final GatedFiles files = new GatedFiles();
    final NodeLog log;
    public final ManualLoop manual;
    public final ReplicaGroup group;
    private final int voters;
    final List<Sent> sent = new ArrayList<>();
    public final List<String> applied = new ArrayList<>();
    final List<String> leaders = new ArrayList<>();
    final List<String> failures = new ArrayList<>();
    final List<Configuration> configurations = new ArrayList<>();
    final FakeSnapshots snapshots = new FakeSnapshots();
    final Outcomes outcomes = new Outcomes();

    /** What the transport and the state machine do besides taking note. */
    Runnable onSend = () -> {};

    Runnable onApply = () -> {};

    public ReplicaFixture(Path directory, String... voters) {
        this(directory, config -> config, options -> options, "n1", voters);
    }

    ReplicaFixture(
            Path directory,
            UnaryOperator<RaftConfig> configured,
            UnaryOperator<NodeLogOptions> opened,
            @Nullable String preferredLeader,
            String... voters) {
        this.voters = voters.length;
        log = NodeLog.open(opened.apply(NodeLogOptions.of(directory, "n1")
                .withFiles(files)
                .withSegmentBytes(1 << 20)
                .withPreallocateBytes(4096)));
        manual = new ManualLoop(log);
        GroupLog groupLog = log.group(GROUP);
        RestoredState restored = new RestoredState(
                groupLog.hardState(),
                groupLog.firstIndex(),
                groupLog.lastIndex(),
                groupLog.commitIndex(),
                0,
                groupLog.termRuns(),
                List.of(),
                Configuration.of(List.of(voters)),
                List.of(),
                false);
        RaftCore core = new RaftCore(
                configured.apply(RaftConfig.of("n1")),
                restored,
                manual.nanos(),
                manual.wallMillis(),
                new SplittableRandom(7));
        group = new ReplicaGroup(
                GROUP,
                "n1",
                manual.loop(),
                core,
                groupLog,
                (peer, groupId, message) -> {
                    onSend.run();
                    assertThat(groupId).isEqualTo(GROUP);
                    sent.add(new Sent(peer, message));
                },
                new StateMachine() {
                    @Override
                    public Object apply(long index, byte[] payload) {
                        onApply.run();
                        String command = new String(payload, UTF_8);
                        applied.add(command);
                        return "result of " + command + " at " + index;
                    }

                    @Override
                    public long timeMillis() {
                        return 0;
                    }
                },
                snapshots,
                new GroupListener() {
                    @Override
                    public void configurationChanged(int groupId, Configuration committed) {
                        configurations.add(committed);
                    }

                    @Override
                    public void leaderChanged(int groupId, long term, @Nullable String leader) {
                        leaders.add(leader + " in " + term);
                    }

                    @Override
                    public void failed(int groupId, String reason, Throwable cause) {
                        failures.add(reason + ": " + cause.getMessage());
                    }
                },
                preferredLeader,
                StartingPoint.EMPTY);
        manual.run(group::start);
    }

    public void propose(String command) {
        group.propose(Outcomes.bytes(command), outcomes.proposal(command));
    }

    /** Lets n1 win an election, with the vote of n2 if it is not alone, and commit the entry that opens its term. */
    public void elect() {
        manual.run(group::campaign);
        if (voters > 1) {
            RaftMessage.PreVoteRequest preVote = awaitSent("n2", RaftMessage.PreVoteRequest.class);
            receive("n2", new RaftMessage.PreVoteResponse(preVote.term() - 1, preVote.term(), true));
            RaftMessage.VoteRequest vote = awaitSent("n2", RaftMessage.VoteRequest.class);
            receive("n2", new RaftMessage.VoteResponse(vote.term(), true));
        }
        manual.runUntil(() -> group.status().role() == Role.LEADER);
        long opening = group.status().lastIndex();
        if (voters > 1) {
            acknowledge("n2");
        }
        manual.runUntil(() -> group.status().appliedIndex() >= opening);
        sent.clear();
    }

    /** {@code peer} says that it has, on disk, all that the leader has. */
    public void acknowledge(String peer) {
        long last = group.status().lastIndex();
        long round = sent.stream()
                .filter(one -> one.message() instanceof RaftMessage.AppendRequest)
                .mapToLong(one -> ((RaftMessage.AppendRequest) one.message()).round())
                .max()
                .orElse(0);
        receive(peer, new RaftMessage.AppendResponse(group.status().term(), round, true, last, last, 0, 0, 0));
    }

    public void receive(String from, RaftMessage message) {
        manual.run(() -> group.receive(from, message));
    }

    public <T extends RaftMessage> T awaitSent(String to, Class<T> type) {
        manual.runUntil(() -> hasSent(to, type));
        return lastSent(to, type);
    }

    boolean hasSent(String to, Class<? extends RaftMessage> type) {
        return sent.stream().anyMatch(one -> one.to().equals(to) && type.isInstance(one.message()));
    }

    <T extends RaftMessage> T lastSent(String to, Class<T> type) {
        return type.cast(sent.stream()
                .filter(one -> one.to().equals(to) && type.isInstance(one.message()))
                .reduce((a, b) -> b)
                .orElseThrow()
                .message());
    }

    /** An append of n2, leader of {@code term}, as its commands from {@code prevIndex} + 1 on. */
    public static RaftMessage.AppendRequest append(
            long term, long prevIndex, long prevTerm, long commitIndex, LogEntry... entries) {
        return new RaftMessage.AppendRequest(term, prevIndex, prevTerm, commitIndex, 0, List.of(entries));
    }

    @Override
    public void close() {
        files.open();
        manual.run(group::close);
        manual.close();
        log.close();
    }
}
