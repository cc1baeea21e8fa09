package io.elastickv.embedded.internal.transport;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jgroups.JChannel;
import org.jgroups.Message;
import org.jgroups.PhysicalAddress;
import org.jgroups.conf.ClassConfigurator;
import org.jgroups.fork.UnknownForkHandler;
import org.jgroups.protocols.FD_ALL3;
import org.jgroups.protocols.FORK;
import org.jgroups.protocols.FRAG2;
import org.jgroups.protocols.MERGE3;
import org.jgroups.protocols.TCPPING;
import org.jgroups.protocols.UNICAST3;
import org.jgroups.protocols.VERIFY_SUSPECT2;
import org.jgroups.protocols.pbcast.GMS;
import org.jgroups.protocols.pbcast.NAKACK2;
import org.jgroups.protocols.pbcast.STABLE;
import org.jgroups.protocols.raft.RAFT;
import org.jgroups.util.ExtendedUUID;
import org.jgroups.util.Util;
import org.jspecify.annotations.Nullable;

/**
 * Builds the JGroups stack of a node. Everything is bound to the node's address and one port; nothing uses multicast.
 * There is no FD_SOCK2: NodeTcp's connections tell of a dead process as well, without a second port (docs/adr/0010).
 */
final class ChannelStack {
    static final byte[] STORAGELESS_KEY = Util.stringToBytes("elastickv-storageless");
    private static final AtomicBoolean PRINT_FUNCTION_SET = new AtomicBoolean();

    private ChannelStack() {}

    static JChannel create(
            ChannelConfig config,
            NodeTcp tcp,
            InetAddress bindAddress,
            List<PhysicalAddress> seeds,
            NodeThreads threads)
            throws Exception {
        ChannelConfig.Timeouts timeouts = config.timeouts();
        tcp.setBindAddr(bindAddress).setBindPort(config.bindAddress().port()).setPortRange(0);
        tcp.useVirtualThreads(false).setThreadFactory(threads);
        tcp.setBundlerType("no-bundler");
        tcp.tcpNodelay(true).setSockConnTimeout(timeouts.connectTimeoutMillis());
        tcp.setPeerAddrReadTimeout(1_000);
        tcp.enableSuspectEvents(true).logDetails(false);
        // The sender thread of a peer is the only one that writes to it. (With the lock, errors of flush() are
        // swallowed.)
        tcp.useLockToSend(false).logAcceptError(false);
        tcp.getThreadPool().setMinThreads(0).setMaxThreads(64).setKeepAliveTime(10_000);
        // A node that restarted quickly has a new logical address at the same place: keep no old ones.
        tcp.setLogicalAddrCacheExpiration(10_000).setLogicalAddrCacheReaperInterval(10_000);

        Seeds discovery = new Seeds(seeds);
        MERGE3 merge = new MERGE3()
                .setMinInterval(timeouts.mergeMinMillis())
                .setMaxInterval(timeouts.mergeMaxMillis())
                .setCheckInterval(timeouts.mergeMaxMillis() + timeouts.mergeMaxMillis() / 2);
        FD_ALL3 heartbeats =
                new FD_ALL3().setTimeout(timeouts.heartbeatTimeoutMillis()).setInterval(timeouts.heartbeatMillis());
        VERIFY_SUSPECT2 verify = new VERIFY_SUSPECT2().setTimeout(timeouts.verifySuspectMillis());
        NAKACK2 nakack = new NAKACK2();
        nakack.useMcastXmit(false).setXmitInterval(500);
        UNICAST3 unicast = new UNICAST3();
        unicast.setXmitInterval(500);
        STABLE stable = new STABLE().setDesiredAverageGossip(50_000).setMaxBytes(4 << 20);
        GMS gms = new GMS()
                .setJoinTimeout(timeouts.joinTimeoutMillis())
                .setLeaveTimeout(500)
                .setMaxJoinAttempts(3)
                .setViewAckCollectionTimeout(1_000)
                .printLocalAddress(false)
                .logCollectMessages(false)
                .logViewWarnings(false);
        FORK fork = new FORK();
        fork.setUnknownForkHandler(new IgnoreUnknownForks());

        JChannel channel = new JChannel(
                tcp, discovery, merge, heartbeats, verify, nakack, unicast, stable, gms, new FRAG2(), fork);
        channel.setName(config.nodeName());
        channel.setDiscardOwnMessages(false);
        if (PRINT_FUNCTION_SET.compareAndSet(false, true)) {
            ExtendedUUID.setPrintFunction(RAFT.print_function);
        }
        channel.addAddressGenerator(() -> {
            ExtendedUUID address = ExtendedUUID.randomUUID(config.nodeName());
            address.put(RAFT.raft_id_key, Frames.nameBytes(config.nodeName()));
            if (config.storageless()) {
                address.put(STORAGELESS_KEY, new byte[] {1});
            }
            return address;
        });
        return channel;
    }

    /** TCPPING that may be told of seeds later and allows an ephemeral port. */
    static final class Seeds extends TCPPING {
        Seeds(List<PhysicalAddress> seeds) {
            setId(ClassConfigurator.getProtocolId(TCPPING.class));
            setPortRange(0);
            initial_hosts = new ArrayList<>(seeds);
            initial_hosts_str = "";
            initial_hosts_set_programmatically = true;
            num_discovery_runs = 1;
        }

        @Override
        public String getName() {
            return "TCPPING";
        }

        @Override
        public boolean isDynamic() {
            return true; // or a transport would not accept port 0
        }
    }

    /** A node need not have a replica of every shard. */
    private static final class IgnoreUnknownForks implements UnknownForkHandler {
        @Override
        public @Nullable Object handleUnknownForkStack(Message message, String forkStackId) {
            return null;
        }

        @Override
        public @Nullable Object handleUnknownForkChannel(Message message, String forkChannelId) {
            return null;
        }
    }
}
