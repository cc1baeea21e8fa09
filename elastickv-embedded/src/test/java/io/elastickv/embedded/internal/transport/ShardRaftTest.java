package io.elastickv.embedded.internal.transport;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.File;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.jgroups.BytesMessage;
import org.jgroups.JChannel;
import org.jgroups.Message;
import org.jgroups.ObjectMessage;
import org.jgroups.Receiver;
import org.jgroups.conf.ClassConfigurator;
import org.jgroups.fork.ForkChannel;
import org.jgroups.jmx.JmxConfigurator;
import org.jgroups.protocols.raft.AppendEntriesRequest;
import org.jgroups.protocols.raft.ELECTION;
import org.jgroups.protocols.raft.InstallSnapshotRequest;
import org.jgroups.protocols.raft.LogEntries;
import org.jgroups.protocols.raft.LogEntry;
import org.jgroups.protocols.raft.RAFT;
import org.jgroups.protocols.raft.Role;
import org.jgroups.protocols.raft.election.VoteRequest;
import org.jgroups.raft.RaftHandle;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ShardRaftTest {
    /** Methods of RAFT that read a field or do nothing to the state; each was looked at in 1.1.4.Final. */
    private static final Set<String> HARMLESS = Set.of(
            "removeQueueSize()",
            "raftId()",
            "logClass()",
            "logArgs()",
            "logPrefix()",
            "logName()",
            "resendInterval()",
            "sendCommitsImmediately()",
            "maxLogSize()",
            "currentLogSize()",
            "requestTableSize()",
            "numSnapshots()",
            "synchronous()",
            "maxLogCacheSize()",
            "logCacheNumTrims()",
            "LogCacheNumAccesses()",
            "logCacheHitRatio()",
            "resetStats()",
            "duplicatesInView(View)");

    private static final class FakePort implements ShardPort {
        volatile ShardRole role = ShardRole.FOLLOWER;
        volatile @Nullable String leader;
        final Queue<String> asked = new ConcurrentLinkedQueue<>();

        @Override
        public ShardRole role() {
            return role;
        }

        @Override
        public @Nullable String leaderName() {
            return leader;
        }

        @Override
        public long term() {
            return 7;
        }

        @Override
        public long commitIndex() {
            return 40;
        }

        @Override
        public long lastAppended() {
            return 42;
        }

        @Override
        public List<String> members() {
            return List.of("n1", "n2", "n3");
        }

        @Override
        public CompletableFuture<byte[]> propose(byte[] command) {
            asked.add("propose " + new String(command, UTF_8));
            return CompletableFuture.completedFuture("done".getBytes(UTF_8));
        }

        @Override
        public CompletableFuture<byte[]> read(byte[] query) {
            asked.add("read " + new String(query, UTF_8));
            return CompletableFuture.completedFuture("value".getBytes(UTF_8));
        }
    }

    private TestNode one;
    private TestNode two;
    private final FakePort port = new FakePort();
    private ShardRaft raft;

    @BeforeEach
    void start() throws Exception {
        List<PeerAddress> addresses = TestNode.addresses(2);
        one = TestNode.started(
                TestNode.config("n1", addresses.get(0), addresses).build());
        two = TestNode.started(
                TestNode.config("n2", addresses.get(1), addresses).build());
        await().atMost(Duration.ofSeconds(15))
                .until(() ->
                        one.channel.view().size() == 2 && two.channel.view().size() == 2);
        raft = one.channel.openShard(1, "shard-1", port);
    }

    @AfterEach
    void close() {
        one.close();
        two.close();
    }

    @Test
    void everyMethodOfRaftIsOverriddenOrKnownToBeHarmless() {
        Set<String> reachable = new TreeSet<>();
        Set<String> seen = new TreeSet<>();
        for (Method method : RAFT.class.getDeclaredMethods()) {
            int modifiers = method.getModifiers();
            if (Modifier.isStatic(modifiers)
                    || method.isSynthetic()
                    || !(Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers))) {
                continue;
            }
            String signature = method.getName()
                    + Arrays.stream(method.getParameterTypes())
                            .map(Class::getSimpleName)
                            .toList()
                            .toString()
                            .replace('[', '(')
                            .replace(']', ')');
            seen.add(signature);
            boolean overridden = Arrays.stream(ShardRaft.class.getDeclaredMethods())
                    .anyMatch(own -> own.getName().equals(method.getName())
                            && Arrays.equals(own.getParameterTypes(), method.getParameterTypes()));
            if (!overridden && !HARMLESS.contains(signature)) {
                reachable.add(signature);
            }
        }
        assertThat(seen).hasSizeGreaterThan(90).containsAll(HARMLESS);
        assertThat(reachable).isEmpty();
    }

    @Test
    void aRaftHandleShowsAndReachesTheReplica() throws Exception {
        RaftHandle handle = new RaftHandle(raft.forkChannel(), null);
        assertThat(handle.raft()).isSameAs(raft);
        assertThat(handle.raftId()).isEqualTo("n1");
        assertThat(handle.isLeader()).isFalse();
        assertThat(handle.leader()).isNull();
        port.leader = "n2";
        assertThat(ViewTracker.nameOf(handle.leader())).isEqualTo("n2");
        port.leader = "n1";
        port.role = ShardRole.LEADER;
        assertThat(handle.isLeader()).isTrue();
        assertThat(handle.leader()).isEqualTo(raft.forkChannel().getAddress());
        assertThat(handle.currentTerm()).isEqualTo(7);
        assertThat(handle.commitIndex()).isEqualTo(40);
        assertThat(handle.lastApplied()).isEqualTo(42);
        assertThat(raft.members()).containsExactly("n1", "n2", "n3");
        assertThat(raft.majority()).isEqualTo(2);
        byte[] buffer = "xxput k vyy".getBytes(UTF_8);
        assertThat(handle.set(buffer, 2, 7, 5, TimeUnit.SECONDS)).isEqualTo("done".getBytes(UTF_8));
        assertThat(handle.get(buffer, 2, 7, 5, TimeUnit.SECONDS)).isEqualTo("value".getBytes(UTF_8));
        assertThat(port.asked).containsExactly("propose put k v", "read put k v");
    }

    @Test
    void roleListenersHearOfChangesInOrder() {
        List<Role> heard = new java.util.concurrent.CopyOnWriteArrayList<>();
        raft.addRoleListener(role -> {
            throw new IllegalStateException("a listener that fails");
        });
        raft.addRoleListener(heard::add);
        raft.roleChanged(ShardRole.LEADER);
        raft.roleChanged(ShardRole.FOLLOWER);
        raft.roleChanged(ShardRole.LEARNER);
        await().untilAsserted(() -> assertThat(heard).containsExactly(Role.Leader, Role.Follower, Role.Learner));
    }

    @Test
    void itsAttributesAreThoseOfRaft() throws Exception {
        port.role = ShardRole.LEADER;
        port.leader = "n1";
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        JmxConfigurator.register(raft, server, "elastickv-test:protocol=ShardRaft");
        try {
            ObjectName name = new ObjectName("elastickv-test:protocol=ShardRaft");
            List<String> attributes = Arrays.stream(server.getMBeanInfo(name).getAttributes())
                    .map(javax.management.MBeanAttributeInfo::getName)
                    .toList();
            assertThat(server.getAttribute(name, "role")).isEqualTo("Leader");
            assertThat(server.getAttribute(name, named(attributes, "currentTerm")))
                    .isEqualTo(7L);
            assertThat(server.getAttribute(name, named(attributes, "last_appended")))
                    .isEqualTo(42L);
            assertThat(server.getAttribute(name, named(attributes, "commit_index")))
                    .isEqualTo(40L);
            assertThat(server.getAttribute(name, named(attributes, "majority"))).isEqualTo(2);
            assertThat(String.valueOf(server.getAttribute(name, named(attributes, "leader"))))
                    .contains("n1");
            for (String attribute : attributes) {
                server.getAttribute(name, attribute); // none throws
            }
        } finally {
            JmxConfigurator.unregister(raft, server, "elastickv-test:protocol=ShardRaft");
        }
        assertThat(raft.forkChannel().dumpStats()).containsKey("ShardRaft");
    }

    private static String named(List<String> attributes, String name) {
        String plain = name.replace("_", "");
        return attributes.stream()
                .filter(a -> a.replace("_", "").equalsIgnoreCase(plain))
                .findFirst()
                .orElseThrow(() -> new AssertionError(name + " is not among " + attributes));
    }

    @Test
    void nothingOfTheStockProtocolRunsOrIsWritten() throws Exception {
        Set<String> threads = new TreeSet<>();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            threads.add(thread.getName());
        }
        assertThat(threads).noneMatch(name -> name.startsWith("runner"));
        assertThat(raft.log()).isNull();
        assertThat(raft.logName()).isNull();
        File[] files =
                new File(System.getProperty("java.io.tmpdir")).listFiles((dir, name) -> name.startsWith("n1.log"));
        assertThat(files).isEmpty();
        assertThat((Object) raft.forkChannel().getProtocolStack().findProtocol(ELECTION.class))
                .isNull();
        assertThat(ClassConfigurator.getProtocol(ShardRaft.PROTOCOL_ID)).isEqualTo(ShardRaft.class);
        assertThat(ClassConfigurator.getProtocol((short) 521)).isEqualTo(RAFT.class);
    }

    @Test
    void messagesOfTheStockProtocolHaveNoEffectAndNoReply() throws Exception {
        assertThat(new ELECTION().getName()).isEqualTo("ELECTION"); // loaded, so that its messages can be read at all
        ShardRaft other = two.channel.openShard(1, "shard-1", new FakePort());
        Queue<Message> received = new ConcurrentLinkedQueue<>();
        other.forkChannel().setReceiver(new Receiver() {
            @Override
            public void receive(Message msg) {
                received.add(msg);
            }
        });
        Queue<Message> atTheFirst = new ConcurrentLinkedQueue<>();
        raft.forkChannel().setReceiver(new Receiver() {
            @Override
            public void receive(Message msg) {
                atTheFirst.add(msg);
            }
        });
        JChannel from = other.forkChannel();
        org.jgroups.Address target = raft.forkChannel().getAddress();
        LogEntries entries = new LogEntries().add(new LogEntry(99, new byte[3]));
        for (short id : new short[] {521, ShardRaft.PROTOCOL_ID}) {
            from.send(new ObjectMessage(target, entries)
                    .putHeader(id, new AppendEntriesRequest(from.getAddress(), 99, 0, 0, 99, 1)));
            from.send(new BytesMessage(target, new byte[10])
                    .putHeader(id, new InstallSnapshotRequest(99, from.getAddress(), 5, 5)));
        }
        from.send(new ObjectMessage(target, null).putHeader((short) 520, new VoteRequest(99)));
        from.send(new BytesMessage(target, "plain".getBytes(UTF_8)));
        await().untilAsserted(() -> assertThat(atTheFirst).hasSize(1)); // the plain one, after all the others
        assertThat(Objects.requireNonNull(atTheFirst.peek()).getLength()).isEqualTo(5);
        raft.forkChannel().send(new BytesMessage(from.getAddress(), "end".getBytes(UTF_8)));
        await().untilAsserted(() -> assertThat(received).hasSize(1)); // and no answer before it
        assertThat(raft.currentTerm()).isEqualTo(7);
        assertThat(port.asked).isEmpty();
    }

    @Test
    void whatDecidesIsRefused() {
        assertThatThrownBy(() -> raft.setLeaderAndTerm(null, 9)).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> raft.votedFor(raft.forkChannel().getAddress()))
                .isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(raft::createNewTerm).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(raft::impl).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> raft.addServer("n9")).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(raft::snapshotAsync).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void aShardIsOpenOnceAndCanBeOpenedAgainAfterItsClose() {
        assertThatThrownBy(() -> one.channel.openShard(1, "shard-1", port)).isInstanceOf(IllegalStateException.class);
        raft.close();
        raft.close();
        assertThat(((ForkChannel) raft.forkChannel()).isConnected()).isFalse();
        List<ShardRaft> many = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            many.add(one.channel.openShard(i, "shard-" + i, port));
        }
        assertThat(many).allMatch(shard -> shard.forkChannel().isConnected());
        one.close();
        assertThat(many).noneMatch(shard -> shard.forkChannel().isConnected());
    }
}
