package io.elastickv.embedded;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Ports of the loopback interface that nobody listens on. Taken below the range from which systems give ports to outgoing
 * connections, so that none of these takes one between its choice and its use; at random, so that several test processes
 * rarely choose the same; each once in this process. A collision is still possible, so users try again with others.
 */
public final class FreePorts {

    private static final int FIRST = 15_000;
    private static final int LAST = 31_999;
    private static final Random RANDOM =
            new Random(System.nanoTime() ^ ProcessHandle.current().pid() << 32);
    private static final Set<Integer> GIVEN = new HashSet<>();

    private FreePorts() {}

    /** Chooses {@code count} ports. */
    public static synchronized List<Integer> choose(int count) {
        List<Integer> ports = new ArrayList<>();
        for (int attempts = 0; ports.size() < count; attempts++) {
            if (attempts > 10_000) {
                throw new IllegalStateException("no free ports between " + FIRST + " and " + LAST);
            }
            int port = FIRST + RANDOM.nextInt(LAST - FIRST + 1);
            if (!GIVEN.contains(port) && isFree(port)) {
                GIVEN.add(port);
                ports.add(port);
            }
        }
        return ports;
    }

    /** Chooses one port. */
    public static int choose() {
        return choose(1).get(0);
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(false);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
