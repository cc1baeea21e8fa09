package io.elastickv.embedded.internal.transport;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Measures calls and group messages between two channels of one JVM over loopback. A main, not a test: {@code [seconds per
 * measurement]}. CPU is that of the whole process, both sides and the generator.
 */
final class TransportFigures {
    private static final int ECHO = 1;
    private static final byte[] PAYLOAD = new byte[100];
    private static final byte[] SMALL = new byte[20];

    private final TestNode one;
    private final TestNode two;
    private final OperatingSystemMXBean os = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private TransportFigures(TestNode one, TestNode two) {
        this.one = one;
        this.two = two;
    }

    public static void main(String[] args) throws Exception {
        long seconds = args.length > 0 ? Long.parseLong(args[0]) : 3;
        List<PeerAddress> addresses = TestNode.addresses(2);
        try (TestNode one = TestNode.started(
                        TestNode.config("n1", addresses.get(0), addresses).build());
                TestNode two = TestNode.started(
                        TestNode.config("n2", addresses.get(1), addresses).build())) {
            two.channel.rpc().register(ECHO, (from, payload, responder) -> responder.reply(SMALL));
            while (!one.channel.isConnected("n2") || !two.channel.isConnected("n1")) {
                Thread.sleep(10);
            }
            TransportFigures figures = new TransportFigures(one, two);
            figures.calls(1, seconds, false);
            for (int outstanding : new int[] {1, 16, 64, 256}) {
                figures.calls(outstanding, seconds, true);
            }
            for (int perFlush : new int[] {1, 4, 16, 64}) {
                figures.groups(perFlush, seconds);
            }
            figures.idle(seconds);
        }
    }

    private void calls(int outstanding, long seconds, boolean print) throws Exception {
        Semaphore permits = new Semaphore(outstanding);
        AtomicLong done = new AtomicLong();
        AtomicLong failed = new AtomicLong();
        long[] latencies = new long[4_000_000];
        long frames = one.channel.stats().framesSent();
        long cpu = os.getProcessCpuTime();
        long start = System.nanoTime();
        long end = start + seconds * 1_000_000_000L;
        while (System.nanoTime() < end) {
            permits.acquire();
            long sent = System.nanoTime();
            one.channel.rpc().call("n2", ECHO, PAYLOAD, 5_000_000_000L, new RpcCallback() {
                @Override
                public void success(ByteBuffer answer) {
                    long n = done.getAndIncrement();
                    if (n < latencies.length) {
                        latencies[(int) n] = System.nanoTime() - sent;
                    }
                    permits.release();
                }

                @Override
                public void failure(RpcFailure failure) {
                    failed.incrementAndGet();
                    permits.release();
                }
            });
        }
        permits.acquire(outstanding);
        long nanos = System.nanoTime() - start;
        cpu = os.getProcessCpuTime() - cpu;
        int n = (int) Math.min(done.get(), latencies.length);
        Arrays.sort(latencies, 0, n);
        if (print) {
            System.out.printf(
                    "RPC %3d outstanding: %,8.0f/s, p50 %d us, p99 %d us, %.1f CPU us each, %.1f calls per frame, %d failed%n",
                    outstanding,
                    done.get() * 1e9 / nanos,
                    latencies[n / 2] / 1000,
                    latencies[(int) (n * 0.99)] / 1000,
                    cpu / 1000.0 / done.get(),
                    (double) done.get() / (one.channel.stats().framesSent() - frames),
                    failed.get());
        }
    }

    private void groups(int perFlush, long seconds) throws Exception {
        long received = two.groupCount.get();
        long cpu = os.getProcessCpuTime();
        long start = System.nanoTime();
        long end = start + seconds * 1_000_000_000L;
        long sent = 0;
        EncodedMessage message = EncodedMessage.of(PAYLOAD);
        while (System.nanoTime() < end) {
            for (int i = 0; i < perFlush; i++) {
                one.channel.sendGroup("n2", i, message);
            }
            one.channel.flush();
            sent += perFlush;
            while (sent - (two.groupCount.get() - received) > 1000) {
                Thread.onSpinWait();
            }
        }
        long nanos = System.nanoTime() - start;
        cpu = os.getProcessCpuTime() - cpu;
        System.out.printf(
                "groups, %2d per flush: %,9.0f/s, %.2f CPU us each (a spinning sender included)%n",
                perFlush, sent * 1e9 / nanos, cpu / 1000.0 / sent);
    }

    private void idle(long seconds) throws Exception {
        Thread.sleep(1000);
        long cpu = os.getProcessCpuTime();
        Thread.sleep(seconds * 1000);
        System.out.printf(
                "idle: %.2f %% of one core for both nodes%n", (os.getProcessCpuTime() - cpu) / 1e9 / seconds * 100);
    }
}
