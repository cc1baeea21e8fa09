package io.elastickv.samples;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What distinguishes one node of the demo from another.
 *
 * @param name its name
 * @param host where other nodes reach it
 * @param port its cluster port
 * @param seeds the addresses of all initial members, its own among them; empty for a cluster of one
 * @param redisHost where Redis clients reach it
 * @param redisPort the port for them; 0 takes a free one
 * @param data its directory; null for a temporary one
 */
record NodeSettings(
        String name,
        String host,
        int port,
        List<String> seeds,
        String redisHost,
        int redisPort,
        @Nullable Path data) {}
