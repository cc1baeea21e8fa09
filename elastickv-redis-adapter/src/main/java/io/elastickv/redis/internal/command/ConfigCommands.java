package io.elastickv.redis.internal.command;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.elastickv.redis.internal.resp.Replies;
import io.elastickv.redis.internal.resp.Reply;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * {@code CONFIG}: tells clients what holds here in Redis' terms. Setting a parameter to what it is succeeds; otherwise
 * only hints that no reply depends on can be set, and only for this adapter.
 */
final class ConfigCommands {

    private static final Pattern PATTERN = Pattern.compile("[\\[\\]*?\\\\]");
    private static final String FLAGS = "admin noscript loading stale";

    private static final Set<String> HINTS = Set.of(
            "hz",
            "dynamic-hz",
            "slowlog-log-slower-than",
            "slowlog-max-len",
            "latency-monitor-threshold",
            "latency-tracking",
            "lua-time-limit",
            "busy-reply-threshold",
            "maxmemory-samples",
            "activedefrag",
            "lazyfree-lazy-eviction",
            "lazyfree-lazy-expire",
            "lazyfree-lazy-server-del",
            "lazyfree-lazy-user-del",
            "lazyfree-lazy-user-flush",
            "loglevel",
            "tcp-keepalive");

    private final Map<String, String> values = new ConcurrentHashMap<>();
    private final Server server;

    ConfigCommands(Server server) {
        this.server = server;
    }

    void define(CommandTable table) {
        CommandSpec config = table.add("config", -2)
                .group("server")
                .since("2.0.0")
                .complexity("Depends on subcommand.")
                .doc("Shows this adapter's settings in Redis' terms.", "");
        sub(config, "get", -3, "2.0.0", "Returns what holds now.", "parameter [parameter ...]")
                .complexity("O(N) when N is the number of configuration parameters provided")
                .does(this::get);
        sub(config, "set", -4, "2.0.0", "Changes hints of this adapter.", "parameter value [parameter value ...]")
                .complexity("O(N) when N is the number of configuration parameters provided")
                .tips("request_policy:all_nodes response_policy:all_succeeded")
                .does(this::set);
        sub(config, "resetstat", 2, "2.0.0", "Sets the counters of INFO back to 0.", "")
                .does(call -> {
                    server.statistics().reset();
                    call.reply(Replies.OK);
                });
        sub(config, "rewrite", 2, "2.8.0", "Fails: there is no such file.", "")
                .does(call -> call.reply(Reply.error("ERR The server is running without a config file")));
        sub(config, "help", 2, "5.0.0", "Lists the subcommands.", "")
                .flags("loading stale")
                .does(call -> call.reply(Help.reply("CONFIG", HELP)));
    }

    private static CommandSpec sub(
            CommandSpec config, String name, int arity, String since, String summary, String syntax) {
        return config.sub(name, arity).flags(FLAGS).since(since).doc(summary, syntax);
    }

    private static final List<String> HELP = List.of(
            "GET <pattern>",
            "    Return parameters matching the glob-like <pattern> and their values.",
            "SET <directive> <value>",
            "    Set the configuration <directive> to <value>.",
            "RESETSTAT",
            "    Reset statistics reported by the INFO command.",
            "REWRITE",
            "    Rewrite the configuration file.");

    /** What holds now. */
    private Map<String, String> parameters() {
        Map<String, String> map = new LinkedHashMap<>();
        map.put("activedefrag", "no");
        map.put("appendfsync", "always");
        map.put("appendonly", "yes");
        map.put("bind", server.advertisedHost());
        map.put("busy-reply-threshold", "5000");
        map.put("client-output-buffer-limit", "normal 0 0 0 slave 0 0 0 pubsub 0 0 0");
        map.put("cluster-enabled", "yes");
        map.put("cluster-require-full-coverage", "no");
        map.put("databases", "1");
        map.put("dir", "");
        map.put("dynamic-hz", "no");
        map.put("hz", "10");
        map.put("latency-monitor-threshold", "0");
        map.put("latency-tracking", "no");
        map.put("lazyfree-lazy-eviction", "no");
        map.put("lazyfree-lazy-expire", "no");
        map.put("lazyfree-lazy-server-del", "no");
        map.put("lazyfree-lazy-user-del", "no");
        map.put("lazyfree-lazy-user-flush", "no");
        map.put("loglevel", "notice");
        map.put("lua-time-limit", "5000");
        map.put("maxclients", Integer.toString(server.maxClients()));
        map.put("maxmemory", "0");
        map.put("maxmemory-policy", "noeviction");
        map.put("maxmemory-samples", "5");
        map.put("min-replicas-max-lag", "10");
        map.put("min-replicas-to-write", "0");
        map.put("notify-keyspace-events", "");
        map.put("port", Integer.toString(server.port()));
        map.put("proto-max-bulk-len", Integer.toString(server.maxStringBytes()));
        map.put("protected-mode", "no");
        map.put("replica-read-only", "no");
        map.put("requirepass", server.password() == null ? "" : new String(server.password(), ISO_8859_1));
        map.put("save", "");
        map.put("slave-read-only", "no");
        map.put("slowlog-log-slower-than", "-1");
        map.put("slowlog-max-len", "128");
        map.put("tcp-keepalive", "300");
        map.put("timeout", "0");
        map.putAll(values);
        return map;
    }

    /** A name that is no pattern is told as it was asked for. */
    private void get(Call call) {
        Map<String, String> present = parameters();
        Map<String, String> found = new LinkedHashMap<>();
        for (int i = 2; i < call.size(); i++) {
            String asked = new String(call.raw(i), ISO_8859_1);
            if (PATTERN.matcher(asked).find()) {
                Glob pattern = Glob.of(call.raw(i), true);
                present.forEach((name, value) -> {
                    if (pattern.matches(name.getBytes(ISO_8859_1))) {
                        found.put(name, value);
                    }
                });
            } else if (present.containsKey(Words.lower(call.raw(i)))) {
                found.put(asked, present.getOrDefault(Words.lower(call.raw(i)), ""));
            }
        }
        List<Reply> items = new ArrayList<>();
        found.forEach((name, value) -> {
            items.add(Reply.bulk(name.getBytes(ISO_8859_1)));
            items.add(Reply.bulk(value.getBytes(ISO_8859_1)));
        });
        call.reply(new Reply.Dictionary(items));
    }

    private void set(Call call) {
        if (call.size() % 2 != 0) {
            throw CommandException.syntax();
        }
        Map<String, String> present = parameters();
        Map<String, String> changes = new LinkedHashMap<>();
        for (int i = 2; i < call.size(); i += 2) {
            String name = Words.lower(call.raw(i));
            String value = new String(call.raw(i + 1), ISO_8859_1);
            String now = present.get(name);
            if (now == null) {
                throw new CommandException("ERR Unknown option or number of arguments for CONFIG SET - '"
                        + CommandTable.quoted(call.raw(i), Integer.MAX_VALUE) + "'");
            }
            if (changes.put(name, value) != null) {
                throw failed(name, "duplicate parameter");
            }
            if (!HINTS.contains(name) && !now.equals(value)) {
                throw failed(name, "can't set immutable config");
            }
        }
        changes.keySet().retainAll(HINTS);
        values.putAll(changes);
        call.reply(Replies.OK);
    }

    private static CommandException failed(String name, String why) {
        return new CommandException("ERR CONFIG SET failed (possibly related to argument '" + name + "') - " + why);
    }
}
