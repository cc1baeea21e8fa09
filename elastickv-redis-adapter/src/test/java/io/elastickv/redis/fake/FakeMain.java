package io.elastickv.redis.fake;

import io.elastickv.redis.RedisAdapter;
import java.time.InstantSource;

/** Serves a store in memory on the ports given, to try clients by hand: first argument {@code -} or a password. */
public final class FakeMain {

    private FakeMain() {}

    /** Runs until killed. */
    public static void main(String[] arguments) throws InterruptedException {
        int count = arguments.length - 1;
        FakeCluster cluster = new FakeCluster(count, Math.max(1, 2 * count), InstantSource.system());
        for (int i = 0; i < count; i++) {
            RedisAdapter.Builder builder =
                    RedisAdapter.builder(cluster.node(i)).bind("127.0.0.1", Integer.parseInt(arguments[i + 1]));
            if (!arguments[0].equals("-")) {
                builder.password(arguments[0]);
            }
            System.out.println(builder.start().address());
        }
        Thread.currentThread().join();
    }
}
