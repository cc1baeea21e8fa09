package io.elastickv.redis.internal.command;

import com.sun.management.OperatingSystemMXBean;
import io.elastickv.redis.internal.topology.Topology;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** The text of {@code INFO}: sections of lines {@code name:value} as Redis has them, with what is known here. */
final class ServerInfo {

    private static final List<String> SECTIONS = List.of(
            "server",
            "clients",
            "memory",
            "persistence",
            "stats",
            "replication",
            "cpu",
            "modules",
            "errorstats",
            "cluster",
            "keyspace");

    private static final String NO_REPLICATION = "0".repeat(40);

    private final Server server;
    private final long startNanos = System.nanoTime();

    ServerInfo(Server server) {
        this.server = server;
    }

    static boolean wantsKeyspace(List<String> sections) {
        return wants(sections, "keyspace");
    }

    private static boolean wants(List<String> sections, String section) {
        return sections.isEmpty()
                || sections.contains(section)
                || sections.contains("all")
                || sections.contains("default")
                || sections.contains("everything");
    }

    /** The sections asked for, all if none; {@code keys} is negative if unknown. */
    String text(List<String> sections, long keys) {
        StringBuilder text = new StringBuilder();
        for (String section : SECTIONS) {
            if (wants(sections, section)) {
                if (!text.isEmpty()) {
                    text.append("\r\n");
                }
                section(text, section, keys);
            }
        }
        return text.toString();
    }

    private void section(StringBuilder text, String section, long keys) {
        switch (section) {
            case "server" -> serverSection(text);
            case "clients" ->
                lines(
                        text,
                        "Clients",
                        "connected_clients",
                        server.clients().size(),
                        "cluster_connections",
                        0,
                        "maxclients",
                        server.maxClients(),
                        "client_recent_max_input_buffer",
                        0,
                        "client_recent_max_output_buffer",
                        0,
                        "blocked_clients",
                        0,
                        "tracking_clients",
                        0,
                        "clients_in_timeout_table",
                        0);
            case "memory" -> memory(text);
            case "persistence" -> persistence(text);
            case "stats" -> stats(text);
            case "replication" -> replication(text);
            case "cpu" -> cpu(text);
            case "cluster" -> lines(text, "Cluster", "cluster_enabled", 1);
            case "keyspace" -> {
                lines(text, "Keyspace");
                if (keys > 0) {
                    text.append("db0:keys=").append(keys).append(",expires=0,avg_ttl=0\r\n");
                }
            }
            default -> lines(text, section.substring(0, 1).toUpperCase(Locale.ROOT) + section.substring(1));
        }
    }

    private static void lines(StringBuilder text, String heading, Object... namesAndValues) {
        text.append("# ").append(heading).append("\r\n");
        for (int i = 0; i < namesAndValues.length; i += 2) {
            text.append(namesAndValues[i])
                    .append(':')
                    .append(namesAndValues[i + 1])
                    .append("\r\n");
        }
    }

    private void serverSection(StringBuilder text) {
        long uptime = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNanos);
        lines(
                text,
                "Server",
                "redis_version",
                ConnectionCommands.REDIS_VERSION,
                "redis_git_sha1",
                "00000000",
                "redis_git_dirty",
                0,
                "redis_build_id",
                "0",
                "redis_mode",
                "cluster",
                "server_name",
                "elastickv",
                "os",
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"),
                "arch_bits",
                64,
                "multiplexing_api",
                "nio",
                "process_id",
                ProcessHandle.current().pid(),
                "process_supervised",
                "no",
                "run_id",
                Topology.id(server.node().name()),
                "tcp_port",
                server.port(),
                "server_time_usec",
                server.clock().millis() * 1000,
                "uptime_in_seconds",
                uptime,
                "uptime_in_days",
                Duration.ofSeconds(uptime).toDays(),
                "hz",
                10,
                "configured_hz",
                10,
                "executable",
                "",
                "config_file",
                "",
                "io_threads_active",
                0);
    }

    private static void memory(StringBuilder text) {
        Runtime runtime = Runtime.getRuntime();
        long used = runtime.totalMemory() - runtime.freeMemory();
        lines(
                text,
                "Memory",
                "used_memory",
                used,
                "used_memory_human",
                human(used),
                "used_memory_rss",
                runtime.totalMemory(),
                "used_memory_rss_human",
                human(runtime.totalMemory()),
                "used_memory_peak",
                runtime.totalMemory(),
                "used_memory_peak_human",
                human(runtime.totalMemory()),
                "total_system_memory",
                runtime.maxMemory(),
                "total_system_memory_human",
                human(runtime.maxMemory()),
                "used_memory_lua",
                0,
                "maxmemory",
                0,
                "maxmemory_human",
                "0B",
                "maxmemory_policy",
                "noeviction",
                "mem_fragmentation_ratio",
                "1.00",
                "mem_allocator",
                "jvm",
                "active_defrag_running",
                0,
                "lazyfree_pending_objects",
                0,
                "lazyfreed_objects",
                0);
    }

    private static String human(long bytes) {
        double value = bytes;
        for (String unit : new String[] {"B", "K", "M", "G"}) {
            if (value < 1024 || unit.equals("G")) {
                return unit.equals("B") ? bytes + "B" : String.format(Locale.ROOT, "%.2f%s", value, unit);
            }
            value /= 1024;
        }
        throw new AssertionError();
    }

    private static void persistence(StringBuilder text) {
        lines(
                text,
                "Persistence",
                "loading",
                0,
                "async_loading",
                0,
                "rdb_changes_since_last_save",
                0,
                "rdb_bgsave_in_progress",
                0,
                "rdb_last_save_time",
                0,
                "rdb_last_bgsave_status",
                "ok",
                "rdb_last_bgsave_time_sec",
                -1,
                "rdb_current_bgsave_time_sec",
                -1,
                "aof_enabled",
                1,
                "aof_rewrite_in_progress",
                0,
                "aof_rewrite_scheduled",
                0,
                "aof_last_rewrite_time_sec",
                -1,
                "aof_current_rewrite_time_sec",
                -1,
                "aof_last_bgrewrite_status",
                "ok",
                "aof_last_write_status",
                "ok");
    }

    private void stats(StringBuilder text) {
        Statistics statistics = server.statistics();
        lines(
                text,
                "Stats",
                "total_connections_received",
                statistics.connections.sum(),
                "total_commands_processed",
                statistics.commands.sum(),
                "instantaneous_ops_per_sec",
                0,
                "total_net_input_bytes",
                statistics.bytesIn.sum(),
                "total_net_output_bytes",
                statistics.bytesOut.sum(),
                "rejected_connections",
                statistics.rejectedConnections.sum(),
                "sync_full",
                0,
                "sync_partial_ok",
                0,
                "sync_partial_err",
                0,
                "expired_keys",
                0,
                "evicted_keys",
                0,
                "evicted_clients",
                0,
                "keyspace_hits",
                0,
                "keyspace_misses",
                0,
                "pubsub_channels",
                0,
                "pubsub_patterns",
                0,
                "latest_fork_usec",
                0,
                "total_forks",
                0,
                "total_error_replies",
                statistics.errors.sum());
    }

    /** Every node takes writes: towards clients each is a master. The others' adapters appear as its replicas' places do. */
    private void replication(StringBuilder text) {
        lines(
                text,
                "Replication",
                "role",
                "master",
                "connected_slaves",
                0,
                "master_failover_state",
                "no-failover",
                "master_replid",
                Topology.id(server.node().cluster().clusterId()),
                "master_replid2",
                NO_REPLICATION,
                "master_repl_offset",
                0,
                "second_repl_offset",
                -1,
                "repl_backlog_active",
                0,
                "repl_backlog_size",
                1048576,
                "repl_backlog_first_byte_offset",
                0,
                "repl_backlog_histlen",
                0);
    }

    /** The whole process; the JVM does not tell the kernel's part. */
    private static void cpu(StringBuilder text) {
        long nanos = ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                ? Math.max(0, system.getProcessCpuTime())
                : 0;
        lines(
                text,
                "CPU",
                "used_cpu_sys",
                "0.000000",
                "used_cpu_user",
                seconds(nanos),
                "used_cpu_sys_children",
                "0.000000",
                "used_cpu_user_children",
                "0.000000");
    }

    private static String seconds(long nanos) {
        return String.format(Locale.ROOT, "%.6f", nanos / 1e9);
    }
}
