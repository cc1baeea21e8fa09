package io.elastickv.embedded;

import io.elastickv.api.ElastickvNode;
import io.elastickv.embedded.history.HistoryLines;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Members, three unless said otherwise, in processes of their own, which can be killed and paused, and a storage-less node in this one. Members are
 * numbered from 0 and named {@code p0} and so on. Not thread-safe.
 */
final class ProcessCluster implements AutoCloseable {

    private static final int SIZE = 3;

    private final Path directory;
    private final String heap;
    private final Map<String, String> settings;
    private final List<Integer> ports;
    private final @Nullable ProcessMember[] members;
    private final boolean[] paused;
    private final HistoryLines history = new HistoryLines();
    private final ElastickvNode client;

    /** A cluster of small members on the heap. */
    ProcessCluster(Path directory) {
        this(directory, "192m", Map.of());
    }

    /** A cluster of three. */
    ProcessCluster(Path directory, String heap, Map<String, String> settings) {
        this(directory, heap, settings, SIZE);
    }

    /**
     * A cluster.
     *
     * @param heap how large the heap of each member may become
     * @param settings see {@link ProcessNode}
     * @param size how many members
     */
    ProcessCluster(Path directory, String heap, Map<String, String> settings, int size) {
        this.ports = FreePorts.choose(size);
        this.members = new ProcessMember[size];
        this.paused = new boolean[size];
        this.directory = directory;
        this.heap = heap;
        this.settings = settings;
        for (int i = 0; i < size; i++) {
            start(i);
        }
        this.client =
                Elastickv.builder().name("client").storageless().seeds(seeds()).start();
        try {
            awaitServing();
            client.awaitReady(Duration.ofSeconds(30));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** How many members there are, running or not. */
    int size() {
        return members.length;
    }

    static String nameOf(int i) {
        return "p" + i;
    }

    static int numberOf(String name) {
        return Integer.parseInt(name.substring(1));
    }

    ElastickvNode client() {
        return client;
    }

    /** What the loads of all members have told since the last call of {@link HistoryLines#take}. */
    HistoryLines history() {
        return history;
    }

    Path directoryOf(int i) {
        return directory.resolve(nameOf(i));
    }

    private List<String> seeds() {
        return ports.stream().map(port -> "127.0.0.1:" + port).toList();
    }

    /** Starts member {@code i}, on the data it has. */
    void start(int i) {
        if (members[i] != null) {
            throw new IllegalStateException(nameOf(i) + " is running");
        }
        members[i] = launch(i);
    }

    /** Starts a process for the place of member {@code i}, whether or not that runs. */
    ProcessMember launch(int i) {
        Map<String, String> all = new LinkedHashMap<>(settings);
        all.put("port", "" + ports.get(i));
        all.put("seeds", String.join(",", seeds()));
        all.put("directory", directoryOf(i).toString());
        return new ProcessMember(nameOf(i), heap, all, history);
    }

    /** Member {@code i}, which must be running. */
    ProcessMember member(int i) {
        ProcessMember member = members[i];
        if (member == null) {
            throw new IllegalStateException(nameOf(i) + " is not running");
        }
        return member;
    }

    /** Whether member {@code i} has been started and not killed; it may be paused. */
    boolean isRunning(int i) {
        return members[i] != null;
    }

    /** Whether member {@code i} is stopped with SIGSTOP. */
    boolean isPaused(int i) {
        return paused[i];
    }

    /**
     * Waits until all members that run serve.
     *
     * @return how long each took from its start until it had written and read a key of every shard, in ns
     */
    List<Long> awaitServing() {
        List<Long> nanos = new ArrayList<>();
        for (ProcessMember member : members) {
            if (member != null) {
                nanos.add(member.awaitServing());
            }
        }
        return nanos;
    }

    /** Stops members with SIGSTOP. */
    void pause(int... which) {
        for (int i : which) {
            member(i).pause();
            paused[i] = true;
        }
    }

    /** Lets members go on with SIGCONT. */
    void resume(int... which) {
        for (int i : which) {
            member(i).resume();
            paused[i] = false;
        }
    }

    /** Kills members with SIGKILL, at once. */
    void kill(int... which) {
        for (int i : which) {
            ProcessMember member = members[i];
            if (member != null) {
                member.kill();
            }
        }
        for (int i : which) {
            ProcessMember member = members[i];
            if (member != null) {
                member.awaitEnd();
                members[i] = null;
                paused[i] = false;
            }
        }
    }

    /** Kills all members with SIGKILL, at once. */
    void killAll() {
        kill(IntStream.range(0, members.length).toArray());
    }

    @Override
    public void close() {
        client.close();
        killAll();
    }
}
