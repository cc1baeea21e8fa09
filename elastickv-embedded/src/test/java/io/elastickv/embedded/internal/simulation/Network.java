package io.elastickv.embedded.internal.simulation;

import static io.elastickv.embedded.internal.simulation.VirtualTime.MICRO;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Drops, delays, duplicates and reorders what is sent, and cuts links in one direction or both. Nodes have the numbers from
 * 0 on, clients those after them.
 */
final class Network {

    private final VirtualTime time;
    private final SplittableRandom random;
    private final boolean[][] cut;
    private final long usualDelayNanos;

    double dropRate;
    double duplicateRate;
    long maxDelayNanos;
    long messages;

    Network(VirtualTime time, SplittableRandom random, int ends, long usualDelayNanos) {
        this.time = time;
        this.random = random;
        this.cut = new boolean[ends][ends];
        this.usualDelayNanos = usualDelayNanos;
        this.maxDelayNanos = usualDelayNanos;
    }

    /** Between replicas: may be lost, delayed, duplicated, and overtaken. */
    void send(int from, int to, Runnable delivery) {
        messages++;
        if (isLost(from, to)) {
            return;
        }
        time.after(delay(), delivery);
        if (duplicateRate > 0 && random.nextDouble() < duplicateRate) {
            time.after(delay() * (1 + random.nextInt(8)), delivery);
        }
    }

    /** A call or its answer: a client counts its attempts, so these are not duplicated behind its back. */
    void call(int from, int to, Runnable delivery) {
        messages++;
        if (!isLost(from, to)) {
            time.after(delay(), delivery);
        }
    }

    private boolean isLost(int from, int to) {
        return cut[from][to] || (dropRate > 0 && random.nextDouble() < dropRate);
    }

    private long delay() {
        long most = random.nextInt(8) == 0 ? maxDelayNanos : Math.min(maxDelayNanos, usualDelayNanos) / 4;
        return 20 * MICRO + random.nextLong(most);
    }

    void setCut(int from, int to, boolean value) {
        cut[from][to] = value;
    }

    void isolate(int end, boolean value) {
        for (int i = 0; i < cut.length; i++) {
            cut[i][end] = value;
            cut[end][i] = value;
        }
    }

    /** Two halves that do not hear of each other; clients are in either. */
    void halve(long sides) {
        for (int i = 0; i < cut.length; i++) {
            for (int j = 0; j < cut.length; j++) {
                cut[i][j] = (sides >>> i & 1) != (sides >>> j & 1);
            }
        }
    }

    void reconnect() {
        for (boolean[] row : cut) {
            Arrays.fill(row, false);
        }
    }

    void heal() {
        reconnect();
        dropRate = 0;
        duplicateRate = 0;
        maxDelayNanos = usualDelayNanos;
    }
}
