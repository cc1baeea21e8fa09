package io.elastickv.redis.internal.server;

import io.netty.util.concurrent.FastThreadLocalThread;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** Names the adapter's threads {@code elastickv-<node>-redis-<n>}. */
final class AdapterThreads implements ThreadFactory {

    private final String prefix;
    private final AtomicInteger count = new AtomicInteger();

    AdapterThreads(String node) {
        prefix = "elastickv-" + node + "-redis-";
    }

    @Override
    public Thread newThread(Runnable task) {
        Thread thread = new FastThreadLocalThread(task, prefix + count.getAndIncrement());
        thread.setDaemon(true);
        return thread;
    }
}
