package io.elastickv.embedded.internal.routing;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.MalformedCommandException;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryCodec;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.ResultCodec;
import io.elastickv.embedded.internal.raft.ProposalCallback;
import io.elastickv.embedded.internal.routing.RouterProtocol.Owner;
import io.elastickv.embedded.internal.routing.RouterProtocol.Request;
import io.elastickv.embedded.internal.routing.RouterProtocol.Status;
import io.elastickv.embedded.internal.transport.Responder;
import io.elastickv.embedded.internal.transport.RpcHandler;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers the operations that other nodes forward to this one. */
final class RouterServer {

    private static final Logger LOG = LoggerFactory.getLogger(RouterServer.class);

    private final String self;
    private final Router router;
    private final AtomicBoolean registered = new AtomicBoolean();

    RouterServer(String self, Router router) {
        this.self = self;
        this.router = router;
    }

    /** Answers from now on; idempotent. */
    void register(BiConsumer<Integer, RpcHandler> handlers) {
        if (registered.getAndSet(true)) {
            return;
        }
        handlers.accept(RouterProtocol.METHOD_WRITE, this::write);
        handlers.accept(RouterProtocol.METHOD_READ, this::read);
    }

    private void write(String from, ByteBuffer payload, Responder responder) {
        Request request = decode(from, payload, responder);
        ShardClient client = request == null ? null : clientFor(request, responder);
        if (request == null || client == null) {
            return;
        }
        try {
            // An entry that cannot be read would end every replica that applies it, again after each restart. Damage is
            // not to be expected from a node, but commands of a newer version are.
            CommandCodec.decode(request.body());
        } catch (MalformedCommandException e) {
            malformed(from, responder, e);
            return;
        }
        ShardRoute route = client.route();
        client.loop().execute(() -> {
            ShardEndpoint endpoint = client.local();
            if (endpoint == null) {
                notHere(request, route, responder);
                return;
            }
            endpoint.write(request.body(), new ProposalCallback() {
                @Override
                public void applied(Object result) {
                    if (result instanceof CommandResult.WrongShard && request.slot() != RouterProtocol.NO_SLOT) {
                        responder.reply(wrongShard(List.of(request.slot())));
                        return;
                    }
                    // Whoever applies its own proposal led the term in which it was made.
                    responder.reply(
                            RouterProtocol.response(Status.OK, 0, null, ResultCodec.encode((CommandResult) result)));
                }

                @Override
                public void notProposed(Refusal reason, @Nullable String leaderHint) {
                    responder.reply(refusal(Status.of(reason), route, leaderHint));
                }

                @Override
                public void unknown() {
                    responder.reply(refusal(Status.UNKNOWN, route, null));
                }
            });
        });
    }

    private void read(String from, ByteBuffer payload, Responder responder) {
        Request request = decode(from, payload, responder);
        ShardClient client = request == null ? null : clientFor(request, responder);
        if (request == null || client == null) {
            return;
        }
        Query query;
        try {
            query = QueryCodec.decode(request.body());
        } catch (RuntimeException e) {
            malformed(from, responder, e);
            return;
        }
        ShardRoute route = client.route();
        ShardEndpoint.QueryReply reply = new ShardEndpoint.QueryReply() {
            @Override
            public void answered(QueryResult result) {
                if (result instanceof QueryResult.WrongShard) {
                    if (query instanceof Query.GetMany many) {
                        responder.reply(
                                wrongShard(many.keys().stream().map(KeySlot::of).toList()));
                        return;
                    }
                    if (request.slot() != RouterProtocol.NO_SLOT) {
                        responder.reply(wrongShard(List.of(request.slot())));
                        return;
                    }
                }
                responder.reply(RouterProtocol.response(Status.OK, 0, null, QueryCodec.encode(result)));
            }

            @Override
            public void refused(ProposalCallback.Refusal reason, @Nullable String leaderHint) {
                responder.reply(refusal(Status.of(reason), route, leaderHint));
            }
        };
        client.loop().execute(() -> {
            ShardEndpoint endpoint = client.local();
            if (endpoint == null) {
                notHere(request, route, responder);
            } else if ((request.flags() & RouterProtocol.FLAG_LOCAL) != 0) {
                endpoint.queryLocally(query, reply);
            } else {
                endpoint.query(query, reply);
            }
        });
    }

    /** The shard does not own these slots; who does, as far as this node knows, for an asker whose table is older. */
    private byte[] wrongShard(List<Integer> slots) {
        return RouterProtocol.response(Status.WRONG_SHARD, 0, null, RouterProtocol.claims(owners(slots)));
    }

    private void notHere(Request request, @Nullable ShardRoute route, Responder responder) {
        List<Owner> owners = request.slot() == RouterProtocol.NO_SLOT ? List.of() : owners(List.of(request.slot()));
        responder.reply(RouterProtocol.response(
                Status.NOT_HERE,
                route == null ? 0 : route.term(),
                route == null ? null : route.leader(),
                RouterProtocol.claims(owners)));
    }

    private List<Owner> owners(List<Integer> slots) {
        RouteTable table = router.table();
        return table == null
                ? List.of()
                : slots.stream()
                        .map(table::runOf)
                        .distinct()
                        .map(RouterServer::ownerOf)
                        .toList();
    }

    private static Owner ownerOf(RouteTable.Run run) {
        return new Owner(run.claim(), run.owner().term(), run.owner().leader());
    }

    private static byte[] refusal(Status status, ShardRoute route, @Nullable String leaderHint) {
        String leader = leaderHint != null ? leaderHint : route.leader();
        return RouterProtocol.response(status, route.term(), leader, RouterProtocol.NO_BODY);
    }

    private @Nullable Request decode(String from, ByteBuffer payload, Responder responder) {
        try {
            return RouterProtocol.decodeRequest(payload);
        } catch (IllegalArgumentException e) {
            malformed(from, responder, e);
            return null;
        }
    }

    private void malformed(String from, Responder responder, RuntimeException e) {
        LOG.warn("node {}: a request of node {} cannot be read: {}", self, from, e.getMessage());
        responder.reply(RouterProtocol.response(Status.MALFORMED, 0, null, RouterProtocol.NO_BODY));
    }

    private @Nullable ShardClient clientFor(Request request, Responder responder) {
        ShardClient client = router.client(request.shard());
        if (client == null) {
            notHere(request, null, responder);
        }
        return client;
    }
}
