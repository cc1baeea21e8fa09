package io.elastickv.embedded.internal.routing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.Bytes;
import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryCodec;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.ResultCodec;
import io.elastickv.embedded.internal.raft.ManualLoop;
import io.elastickv.embedded.internal.routing.RouterProtocol.Status;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A shard's client on node n0, which has no replica; the test plays the other nodes. */
final class ClientFixture implements AutoCloseable {

    static final Duration TIMEOUT = Duration.ofSeconds(5);

    /** What the client sent, until the test answers it. */
    final class Sent {
        final String peer;
        final int method;
        final byte[] payload;
        private final RpcCallback callback;
        private boolean answered;

        Sent(String peer, int method, byte[] payload, RpcCallback callback) {
            this.peer = peer;
            this.method = method;
            this.payload = payload.clone();
            this.callback = callback;
        }

        byte[] body() {
            return RouterProtocol.decodeRequest(ByteBuffer.wrap(payload)).body();
        }

        Envelope envelope() {
            return CommandCodec.decode(body());
        }

        Query query() {
            return QueryCodec.decode(body());
        }

        void result(CommandResult result) {
            respond(RouterProtocol.response(Status.OK, 0, null, ResultCodec.encode(result)));
        }

        void result(QueryResult result) {
            respond(RouterProtocol.response(Status.OK, 0, null, QueryCodec.encode(result)));
        }

        void refuse(Status status, long term, String leader) {
            respond(RouterProtocol.response(status, term, leader, RouterProtocol.NO_BODY));
        }

        void respond(byte[] response) {
            once();
            callback.success(ByteBuffer.wrap(response).asReadOnlyBuffer());
            manual.run();
        }

        void fail(RpcFailure failure) {
            once();
            callback.failure(failure);
            manual.run();
        }

        private void once() {
            assertThat(answered).isFalse();
            answered = true;
        }
    }

    final ManualLoop manual = new ManualLoop(null);
    final ShardRoute route = new ShardRoute(1, 1, List.of(new SlotRange(0, 16383)), List.of("n1", "n2", "n3"));
    final Admission admission;
    final ShardClient client;
    final List<Sent> sent = new ArrayList<>();

    ClientFixture() {
        this(1000);
    }

    ClientFixture(int maxOperations) {
        admission = new Admission(maxOperations, 1 << 20);
        client = new ShardClient(
                "n0",
                route,
                manual.loop(),
                (peer, method, payload, timeoutNanos, callback) -> {
                    assertThat(timeoutNanos).isPositive();
                    sent.add(new Sent(peer, method, payload, callback));
                },
                admission,
                new Routes() {
                    @Override
                    public @Nullable RouteTable table() {
                        return null;
                    }

                    @Override
                    public void learn(List<RouterProtocol.Owner> owners) {}

                    @Override
                    public void isStale(int slot) {}
                },
                Backoff.RANDOM,
                null);
        manual.run(() -> manual.loop().addTicker(client));
    }

    Told<CommandResult> write(String key) {
        return write(new Command.Increment(key.getBytes(UTF_8), 1), TIMEOUT);
    }

    Told<CommandResult> write(Command command, Duration timeout) {
        Told<CommandResult> told = new Told<>();
        Operation.Write write = new Operation.Write(
                KeySlot.of(Bytes.utf8("any")), command, manual.nanos(), manual.nanos() + timeout.toNanos(), told);
        assertThat(admission.admit(write, 10)).isNull();
        manual.run(() -> client.take(write));
        return told;
    }

    Told<QueryResult> read(String key, long maxStalenessNanos) {
        Told<QueryResult> told = new Told<>();
        Operation.Read read = new Operation.Read(
                KeySlot.of(Bytes.utf8(key)),
                null,
                new Query.Get(key.getBytes(UTF_8)),
                maxStalenessNanos,
                manual.nanos(),
                manual.nanos() + TIMEOUT.toNanos(),
                told);
        assertThat(admission.admit(read, 0)).isNull();
        manual.run(() -> client.take(read));
        return told;
    }

    /** What was sent last and is not taken yet. */
    Sent take() {
        assertThat(sent).as("waiting for an answer").isNotEmpty();
        return sent.remove(0);
    }

    /** What is sent next, moving the clock if it takes a moment. */
    Sent takeLater() {
        for (int i = 0; i < 100 && sent.isEmpty(); i++) {
            manual.advance(Duration.ofMillis(10));
        }
        return take();
    }

    /** Answers the question for a session, which must be the only thing sent. */
    void openSession(long id) {
        Sent open = takeLater();
        assertThat(open.envelope().command()).isInstanceOf(Command.OpenSession.class);
        assertThat(open.envelope().sessionId()).isZero();
        open.result(new CommandResult.SessionOpened(id));
    }

    /** Opens a session by a write that succeeds. */
    void withSession(long id) {
        Told<CommandResult> first = write("first");
        openSession(id);
        take().result(new CommandResult.Incremented(1));
        assertThat(first.succeeded()).isTrue();
    }

    /** Whether all that was admitted has been given back: a node full of others would refuse. */
    void assertAllReleased() {
        assertThat(admission.operations()).as("operations admitted").isZero();
        assertThat(admission.bytes()).as("bytes admitted").isZero();
    }

    @Override
    public void close() {
        manual.close();
    }
}
