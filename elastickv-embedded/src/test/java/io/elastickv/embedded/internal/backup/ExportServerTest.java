package io.elastickv.embedded.internal.backup;

import static io.elastickv.embedded.internal.raft.ReplicaFixture.append;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.backup.BackupProtocol.Fetched;
import io.elastickv.embedded.internal.backup.BackupProtocol.Refusal;
import io.elastickv.embedded.internal.backup.BackupProtocol.Request;
import io.elastickv.embedded.internal.backup.BackupProtocol.Standing;
import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.raft.ReplicaFixture;
import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendRequest;
import io.elastickv.embedded.internal.storage.EntrySink;
import io.elastickv.embedded.internal.transport.EncodedMessage;
import io.elastickv.embedded.internal.transport.Responder;
import io.elastickv.embedded.internal.transport.RpcHandler;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A leader, among voters that the test plays, asked by a node that exports, which the test plays too. */
@Timeout(60)
class ExportServerTest {

    private static final long EXPORT = 0xabcdef;
    private static final int SHARD = 3;
    private static final int LEASE_MILLIS = 500;
    private static final Path SPOOLS = Path.of("/data/export");

    @TempDir
    Path directory;

    private final FaultyFiles files = new FaultyFiles();
    private final ArrayDeque<Runnable> writerTasks = new ArrayDeque<>();
    private final Map<Integer, RpcHandler> handlers = new HashMap<>();
    private final List<TestCapture> captures = new ArrayList<>();
    private long usableBytes = Long.MAX_VALUE;
    private boolean busy;
    private ReplicaFixture replica;
    private ExportServer server;

    @BeforeEach
    void lead() {
        replica = new ReplicaFixture(directory, "n1", "n2", "n3");
        server = new ExportServer(
                shard -> shard == SHARD ? new ExportableShard(replica.group, () -> busy, this::capture) : null,
                new ShardExport.Desk(files, SPOOLS, writerTasks::add, () -> usableBytes, 1000));
        server.register(handlers::put);
        replica.elect();
    }

    @AfterEach
    void close() {
        server.close();
        replica.close();
    }

    /** Two thousand entries, of which one in four has expired. */
    private static final class TestCapture implements CapturedState {
        private int next;
        private boolean closed;

        @Override
        public long index() {
            return 1;
        }

        @Override
        public List<SlotRange> slots() {
            return List.of(new SlotRange(0, 16383));
        }

        @Override
        public long logTimeMillis() {
            return 1000;
        }

        @Override
        public boolean step(EntrySink sink) throws IOException {
            assertThat(closed).isFalse();
            for (int i = 0; i < 100; i++, next++) {
                byte[] key = ("key" + next).getBytes(UTF_8);
                byte[] value = new byte[1000];
                sink.putEntry(
                        key, 0, key.length, value, 0, value.length, 7, next % 4 == 0 ? 1000 : next % 4 == 1 ? 1001 : 0);
            }
            return next < 2000;
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    private CapturedState capture() {
        if (busy) {
            throw new IllegalStateException("a capture is going on");
        }
        TestCapture capture = new TestCapture();
        captures.add(capture);
        return capture;
    }

    private static final class Answer implements Responder {
        private byte[] bytes;

        @Override
        public void reply(byte[]... parts) {
            ByteBuffer all = ByteBuffer.allocate(
                    java.util.Arrays.stream(parts).mapToInt(part -> part.length).sum());
            for (byte[] part : parts) {
                all.put(part);
            }
            if (bytes == null) {
                bytes = all.array();
            }
        }

        @Override
        public void reply(EncodedMessage answer) {
            throw new UnsupportedOperationException();
        }

        private String reason() {
            Refusal refusal = bytes == null ? null : BackupProtocol.refusal(ByteBuffer.wrap(bytes));
            return refusal == null ? null : refusal.reason();
        }

        private ByteBuffer granted() {
            assertThat(bytes).isNotNull();
            ByteBuffer answer = ByteBuffer.wrap(bytes);
            Refusal refusal = BackupProtocol.refusal(answer);
            assertThat(refusal).isNull();
            return answer;
        }
    }

    private Answer ask(int method, long argument) {
        Answer answer = new Answer();
        handlers.get(method)
                .handle("n9", ByteBuffer.wrap(BackupProtocol.encode(new Request(EXPORT, SHARD, argument))), answer);
        replica.manual.run();
        return answer;
    }

    private void write() {
        Runnable task;
        while ((task = writerTasks.poll()) != null) {
            task.run();
        }
    }

    private Fetched fetch(long first) {
        Answer answer = ask(BackupProtocol.METHOD_FETCH, first);
        write();
        return BackupProtocol.fetched(answer.granted());
    }

    private String fetchRefused() {
        Answer answer = ask(BackupProtocol.METHOD_FETCH, 0);
        write();
        return answer.reason();
    }

    /** Freezes, releases, and confirms that n1 leads. */
    private void cut() {
        ask(BackupProtocol.METHOD_FREEZE, LEASE_MILLIS).granted();
        Answer released = ask(BackupProtocol.METHOD_RELEASE, 0);
        assertThat(released.bytes).isNull();
        replica.awaitSent("n2", AppendRequest.class);
        replica.acknowledge("n2");
        replica.manual.runUntil(() -> released.bytes != null);
        released.granted();
    }

    @Test
    void aCutIsTakenWrittenAndFetched() {
        Standing standing = BackupProtocol.standing(
                ask(BackupProtocol.METHOD_FREEZE, LEASE_MILLIS).granted());
        assertThat(standing).isEqualTo(new Standing(1, 1, 1000, List.of(new SlotRange(0, 16383))));
        replica.manual.run(() -> replica.propose("a"));
        replica.manual.advance(Duration.ofMillis(100));
        assertThat(replica.group.status().lastIndex()).isEqualTo(1);

        Answer released = ask(BackupProtocol.METHOD_RELEASE, 0);
        assertThat(replica.group.status().lastIndex()).as("goes on at once").isEqualTo(2);
        assertThat(released.bytes).as("only after a round").isNull();
        replica.awaitSent("n2", AppendRequest.class);
        replica.acknowledge("n2");
        replica.manual.runUntil(() -> released.bytes != null);
        released.granted();

        Fetched early = BackupProtocol.fetched(fetchBeforeTheWriter());
        assertThat(early.complete()).isFalse();
        write();
        assertThat(captures.get(0).closed).isTrue();
        List<EntryBlock> blocks = new ArrayList<>();
        Fetched fetched = fetch(0);
        while (!fetched.blocks().isEmpty()) {
            blocks.addAll(fetched.blocks());
            fetched = fetch(blocks.size());
        }
        assertThat(fetched.complete()).isTrue();
        assertThat(fetched.totalBlocks()).isEqualTo(blocks.size());
        assertThat(fetched.totalEntries()).isEqualTo(1500);
        assertThat(blocks).hasSizeGreaterThan(4).allMatch(EntryBlock::isIntact);
        assertThat(blocks.stream().mapToInt(EntryBlock::entries).sum()).isEqualTo(1500);
        assertThat(fetch(2).blocks().get(0).crc()).isEqualTo(blocks.get(2).crc());

        ask(BackupProtocol.METHOD_END, 0);
        write();
        assertThat(files.files()).isEmpty();
        assertThat(server.underWay()).isZero();
        assertThat(fetchRefused()).contains("nothing of the export");
    }

    /** A fetch that reaches the writer when it has done the first step only. */
    private ByteBuffer fetchBeforeTheWriter() {
        Answer answer = ask(BackupProtocol.METHOD_FETCH, 0);
        Runnable begin = writerTasks.poll();
        begin.run();
        Runnable fetch = writerTasks.poll();
        fetch.run();
        return answer.granted();
    }

    @Test
    void aLeaderThatWasReplacedWithoutKnowingSpoilsTheCut() {
        ask(BackupProtocol.METHOD_FREEZE, LEASE_MILLIS).granted();
        Answer released = ask(BackupProtocol.METHOD_RELEASE, 0);
        assertThat(released.bytes).isNull();
        // All this time n2 has led in a later term, and acknowledged writes.
        replica.receive("n2", append(5, 1, 1, 1));
        replica.manual.runUntil(() -> released.bytes != null);
        assertThat(released.reason()).contains("does not lead any more");
        write();
        assertThat(captures.get(0).closed).isTrue();
        assertThat(files.files()).isEmpty();
    }

    @Test
    void aLeadershipLostWhileStandingStillSpoilsTheCut() {
        ask(BackupProtocol.METHOD_FREEZE, LEASE_MILLIS).granted();
        replica.receive("n2", append(5, 1, 1, 1));
        assertThat(ask(BackupProtocol.METHOD_RELEASE, 0).reason()).contains("did not stand still");
        write();
        assertThat(captures.get(0).closed).isTrue();
    }

    @Test
    void aFrozenLeaderGoesOnByItselfWhenTheExporterIsGone() {
        ask(BackupProtocol.METHOD_FREEZE, LEASE_MILLIS).granted();
        replica.manual.run(() -> replica.propose("a"));
        replica.manual.advance(Duration.ofMillis(490));
        assertThat(replica.group.status().lastIndex()).isEqualTo(1);
        replica.manual.advance(Duration.ofMillis(50));
        assertThat(replica.group.status().lastIndex()).isEqualTo(2);
        write();
        assertThat(captures.get(0).closed).isTrue();
        assertThat(ask(BackupProtocol.METHOD_RELEASE, 0).reason()).contains("did not stand still");
        assertThat(fetchRefused()).contains("its time is up");

        server.expire(System.nanoTime() + 31_000_000_000L);
        assertThat(server.underWay()).isZero();
    }

    @Test
    void nobodyIsMadeToWaitForLongerThanASecond() {
        ask(BackupProtocol.METHOD_FREEZE, 3_600_000).granted();
        replica.manual.run(() -> replica.propose("a"));
        replica.manual.advance(Duration.ofMillis(700));
        replica.acknowledge("n2");
        assertThat(replica.group.status().lastIndex()).isEqualTo(1);
        replica.manual.advance(Duration.ofMillis(350));
        assertThat(replica.group.status().lastIndex()).isEqualTo(2);
    }

    @Test
    void aSpoolThatNobodyFetchesIsDeleted() {
        cut();
        write();
        assertThat(files.files()).hasSize(1);
        server.expire(System.nanoTime() + 10_000_000_000L);
        assertThat(server.underWay()).isEqualTo(1);
        server.expire(System.nanoTime() + 31_000_000_000L);
        replica.manual.run();
        write();
        assertThat(server.underWay()).isZero();
        assertThat(files.files()).isEmpty();
    }

    @Test
    void aFullDiskIsSaidAndFreesAll() {
        cut();
        files.freeBytes(600_000);
        write();
        assertThat(fetchRefused()).contains("no space left on the device");
        assertThat(captures.get(0).closed).isTrue();
        assertThat(files.files()).isEmpty();
    }

    @Test
    void theLogKeepsItsSpace() {
        usableBytes = 999;
        cut();
        write();
        assertThat(fetchRefused()).contains("its disk has less than");
        assertThat(captures.get(0).closed).isTrue();
    }

    @Test
    void theStateIsClaimedFromTheFirstQuestionUntilItIsWritten() {
        assertThat(server.claims(SHARD)).isFalse();
        busy = true;
        ask(BackupProtocol.METHOD_PREPARE, 0);
        assertThat(server.claims(SHARD)).as("reserved, though it is busy").isTrue();
        assertThat(server.claims(SHARD + 1)).isFalse();
    }

    @Test
    void theStateIsClaimedWhileItIsHeld() {
        cut();
        assertThat(server.claims(SHARD)).isTrue();
        write();
        assertThat(server.claims(SHARD)).isFalse();
    }

    @Test
    void aStateThatCannotBeHeldNowIsSaidAndNobodyWaits() {
        busy = true;
        assertThat(ask(BackupProtocol.METHOD_PREPARE, 0).reason()).isEqualTo("a checkpoint is being written");
        Answer answer = ask(BackupProtocol.METHOD_FREEZE, LEASE_MILLIS);
        assertThat(answer.reason()).contains("a capture is going on");
        replica.manual.run(() -> replica.propose("a"));
        assertThat(replica.group.status().lastIndex()).isEqualTo(2);
    }

    @Test
    void anEndThatOvertakesTheStandstillLeavesNothingBehind() {
        replica.manual.run(() -> replica.propose("a"));
        Answer answer = ask(BackupProtocol.METHOD_FREEZE, LEASE_MILLIS);
        assertThat(answer.bytes).isNull();
        ask(BackupProtocol.METHOD_END, 0);
        replica.manual.run(() -> replica.propose("b"));
        replica.acknowledge("n2");
        replica.manual.runUntil(() -> answer.bytes != null);
        assertThat(answer.reason()).contains("was ended");
        replica.manual.runUntil(() -> replica.group.status().lastIndex() == 3);
        assertThat(captures).isEmpty();
    }

    @Test
    void aFollowerAndAnUnknownShardAreRefused() {
        replica.receive("n2", append(5, 1, 1, 1));
        assertThat(ask(BackupProtocol.METHOD_PREPARE, 0).reason()).contains("does not lead");
        assertThat(ask(BackupProtocol.METHOD_FREEZE, LEASE_MILLIS).reason()).contains("does not lead");
        Answer unknown = new Answer();
        handlers.get(BackupProtocol.METHOD_PREPARE)
                .handle("n9", ByteBuffer.wrap(BackupProtocol.encode(new Request(1, 99, 0))), unknown);
        assertThat(unknown.reason()).contains("has no replica");
    }

    @Test
    void leftoversOfAKilledProcessAreDeletedAndNothingElse() {
        files.put(SPOOLS.resolve("00ff-1.spool"), new byte[3]).put(SPOOLS.resolve("mine.txt"), new byte[3]);
        server.deleteLeftovers();
        assertThat(files.files()).containsExactly(SPOOLS.resolve("mine.txt"));
    }

    @Test
    void closingEndsAll() {
        cut();
        writerTasks.poll().run();
        assertThat(files.files()).hasSize(1);
        server.close();
        replica.manual.run();
        write();
        assertThat(files.files()).isEmpty();
        assertThat(captures.get(0).closed).isTrue();
        assertThat(ask(BackupProtocol.METHOD_FREEZE, LEASE_MILLIS).reason()).isNotNull();
    }
}
