package io.elastickv.embedded.internal.transport;

import org.jgroups.util.DefaultThreadFactory;

/** Makes the threads of a node's network, JGroups' own among them: daemons named elastickv-node-net-role-n. */
final class NodeThreads extends DefaultThreadFactory {
    private final String prefix;

    NodeThreads(String nodeName) {
        super("elastickv-" + nodeName + "-net", true, false);
        this.prefix = "elastickv-" + nodeName + "-net-";
    }

    static String prefix(String nodeName) {
        return "elastickv-" + nodeName + "-net-";
    }

    @Override
    protected Thread newThread(Runnable body, String role, String address, String cluster) {
        return thread(role.startsWith(baseName) ? "worker" : role, body);
    }

    Thread thread(String role, Runnable body) {
        String plain = role.replace("jgroups", "")
                .replace("Connection.Receiver", "receive")
                .replace(' ', '-');
        Thread thread = new Thread(body, prefix + plain + "-" + counter.incrementAndGet());
        thread.setDaemon(true);
        return thread;
    }

    @Override
    public void renameThread(String base, Thread thread, String address, String cluster) {
        // The name stays.
    }
}
