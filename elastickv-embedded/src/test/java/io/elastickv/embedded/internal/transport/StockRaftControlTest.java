package io.elastickv.embedded.internal.transport;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.DataInput;
import java.io.DataOutput;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jgroups.Address;
import org.jgroups.JChannel;
import org.jgroups.protocols.DISCARD;
import org.jgroups.protocols.TCP;
import org.jgroups.protocols.TCPPING;
import org.jgroups.protocols.UNICAST3;
import org.jgroups.protocols.pbcast.GMS;
import org.jgroups.protocols.pbcast.NAKACK2;
import org.jgroups.protocols.raft.ELECTION;
import org.jgroups.protocols.raft.RAFT;
import org.jgroups.raft.RaftHandle;
import org.jgroups.raft.StateMachine;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The stock protocol shows hazard B1 of docs/jgroups-raft-findings.md over real channels. This is why ShardRaft does not use
 * it; and it proves that a test of this kind would catch the same fault in ours. If a new release of jgroups-raft fails this
 * test, the finding is to be looked at again.
 */
@Timeout(60)
class StockRaftControlTest {
    private final List<JChannel> channels = new ArrayList<>();
    private final List<RaftHandle> handles = new ArrayList<>();

    /** Remembers the last command; a query answers it. */
    private static final class Register implements StateMachine {
        private String value = "";

        @Override
        public byte[] apply(byte[] data, int offset, int length, boolean serialize) {
            String command = new String(data, offset, length, UTF_8);
            if (!command.equals("get")) {
                value = command;
            }
            return value.getBytes(UTF_8);
        }

        @Override
        public void readContentFrom(DataInput in) {}

        @Override
        public void writeContentTo(DataOutput out) {}
    }

    @AfterEach
    void close() {
        for (JChannel channel : channels) {
            channel.getProtocolStack().removeProtocol("DISCARD");
            channel.close();
        }
    }

    private void start() throws Exception {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        List<PeerAddress> addresses = TestNode.addresses(3);
        List<InetSocketAddress> hosts = addresses.stream()
                .map(a -> new InetSocketAddress(loopback, a.port()))
                .toList();
        String run = Long.toString(System.nanoTime());
        for (int i = 0; i < 3; i++) {
            RAFT raft = new RAFT();
            raft.members(List.of("A", "B", "C")).raftId(List.of("A", "B", "C").get(i));
            raft.logClass("org.jgroups.protocols.raft.InMemoryLog").logPrefix("control-" + run + "-" + i);
            TCP tcp = new TCP();
            tcp.setBindAddr(loopback).setBindPort(addresses.get(i).port()).setPortRange(0);
            tcp.getThreadPool().setMinThreads(0);
            JChannel channel = new JChannel(
                    tcp,
                    new DISCARD(),
                    new TCPPING().setInitialHosts(hosts).setPortRange(0),
                    new NAKACK2().useMcastXmit(false),
                    new UNICAST3(),
                    new GMS().setJoinTimeout(1_000).printLocalAddress(false),
                    new ELECTION(),
                    raft);
            channel.setName(raft.raftId());
            channels.add(channel);
            handles.add(new RaftHandle(channel, new Register()));
            channel.connect("control-" + run);
        }
    }

    @Test
    void anIsolatedStockLeaderAnswersAReadAndAcknowledgesAWriteThatNobodyElseHas() throws Exception {
        start();
        await().atMost(Duration.ofSeconds(20))
                .until(() -> handles.stream().anyMatch(RaftHandle::isLeader)
                        && handles.stream().allMatch(h -> h.leader() != null));
        RaftHandle leader =
                handles.stream().filter(RaftHandle::isLeader).findFirst().orElseThrow();
        assertThat(leader.set("old".getBytes(UTF_8), 0, 3, 10, TimeUnit.SECONDS))
                .isEqualTo("old".getBytes(UTF_8));

        Address self = leader.channel().getAddress();
        DISCARD discard = leader.channel().getProtocolStack().findProtocol(DISCARD.class);
        discard.discardAll(true).excludeItself(true);
        assertThat(self).isNotNull();

        CompletableFuture<byte[]> write = leader.setAsync("lost".getBytes(UTF_8), 0, 4);
        await().during(Duration.ofMillis(500)).atMost(Duration.ofSeconds(5)).until(() -> !write.isDone());
        CompletableFuture<byte[]> read = leader.getAsync("get".getBytes(UTF_8), 0, 3);

        // A correct leader answers neither: it reaches no majority.
        assertThat(read.get(10, TimeUnit.SECONDS)).isEqualTo("lost".getBytes(UTF_8));
        assertThat(write.get(10, TimeUnit.SECONDS)).isEqualTo("lost".getBytes(UTF_8));
        for (RaftHandle other : handles) {
            if (other != leader) {
                assertThat(other.commitIndex()).isLessThan(leader.commitIndex());
                assertThat(other.lastApplied()).isLessThan(leader.lastApplied());
            }
        }
    }
}
