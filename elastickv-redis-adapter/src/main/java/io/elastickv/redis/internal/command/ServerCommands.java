package io.elastickv.redis.internal.command;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.elastickv.api.ShardInfo;
import io.elastickv.redis.internal.resp.Reply;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/** Commands about the server. */
final class ServerCommands {

    private static final Duration COUNT_TIMEOUT = Duration.ofSeconds(1);

    private final Server server;
    private final ServerInfo info;

    ServerCommands(Server server) {
        this.server = server;
        this.info = new ServerInfo(server);
    }

    void define(CommandTable table) {
        table.add("info", -1)
                .flags("loading stale")
                .categories("dangerous")
                .group("server")
                .tips("nondeterministic_output request_policy:all_shards response_policy:special")
                .doc("Describes the adapter and its node.", "[section [section ...]]")
                .alone()
                .does(this::info);
        table.add("time", 1)
                .flags("loading stale fast")
                .group("server")
                .since("2.6.0")
                .tips("nondeterministic_output")
                .doc("Tells the time of this node's clock.", "")
                .does(this::time);
        table.add("wait", 3)
                .flags("noscript")
                .categories("connection")
                .group("generic")
                .since("3.0.0")
                .tips("request_policy:all_shards response_policy:agg_min")
                .doc("Tells on how many replicas the connection's writes are for sure.", "numreplicas timeout")
                .alone()
                .does(this::await);
    }

    private void info(Call call) {
        List<String> sections = new ArrayList<>();
        for (int i = 1; i < call.size(); i++) {
            sections.add(Words.lower(call.raw(i)));
        }
        if (!ServerInfo.wantsKeyspace(sections)) {
            call.reply(Reply.verbatim(info.text(sections, -1)));
            return;
        }
        Duration timeout = server.timeout().compareTo(COUNT_TIMEOUT) < 0 ? server.timeout() : COUNT_TIMEOUT;
        // Without a majority the rest of the text is wanted all the more.
        call.reply(
                server.store().withTimeout(timeout).size().exceptionally(failure -> -1L),
                keys -> Reply.verbatim(info.text(sections, keys)));
    }

    private void time(Call call) {
        long micros = ChronoUnit.MICROS.between(Instant.EPOCH, server.clock().instant());
        call.reply(Reply.array(
                Reply.bulk(Long.toString(micros / 1_000_000).getBytes(ISO_8859_1)),
                Reply.bulk(Long.toString(micros % 1_000_000).getBytes(ISO_8859_1))));
    }

    /**
     * An acknowledged write is on a majority of its shard's replicas before its reply is sent, and all replies before this
     * one were sent: so nothing is waited for. The leader does not count, as in Redis; the smallest shard decides.
     */
    private void await(Call call) {
        long replicas = call.integer(1);
        long timeout = call.integer(2, "ERR timeout is not an integer or out of range");
        if (timeout < 0) {
            throw new CommandException("ERR timeout is negative");
        }
        if (replicas < 0) {
            throw new CommandException("ERR numreplicas must be zero or positive");
        }
        int sure = Integer.MAX_VALUE;
        for (ShardInfo shard : server.node().cluster().shards()) {
            sure = Math.min(sure, shard.replicas().size() / 2);
        }
        call.reply(Reply.integer(sure == Integer.MAX_VALUE ? 0 : sure));
    }
}
