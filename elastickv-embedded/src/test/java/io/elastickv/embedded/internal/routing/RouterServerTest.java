package io.elastickv.embedded.internal.routing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.elastickv.api.Bytes;
import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryCodec;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.ResultCodec;
import io.elastickv.embedded.internal.routing.RouterProtocol.Response;
import io.elastickv.embedded.internal.routing.RouterProtocol.Status;
import io.elastickv.embedded.internal.transport.EncodedMessage;
import io.elastickv.embedded.internal.transport.Responder;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** What a node answers to operations that others forward to it. */
@Timeout(60)
class RouterServerTest {

    private static final Logger LOGGER = (Logger) LoggerFactory.getLogger("io.elastickv.embedded.internal");
    private static final Bytes KEY = Bytes.utf8("key");
    private static final int SHARD = KeySlot.of(KEY) < 8192 ? 0 : 1;

    @TempDir
    Path directory;

    private StoreFixture node;

    @BeforeEach
    void start() {
        LOGGER.setLevel(Level.OFF);
        node = new StoreFixture(directory).open();
        node.store.blocking().put(KEY, KEY);
    }

    @AfterEach
    void stop() {
        node.close();
        LOGGER.setLevel(null);
    }

    /** Keeps the first answer, as the network does. */
    private static final class Answer implements Responder {
        final CompletableFuture<byte[]> bytes = new CompletableFuture<>();

        @Override
        public void reply(byte[]... parts) {
            assertThat(parts).hasNumberOfRows(1);
            if (!bytes.complete(parts[0])) {
                throw new AssertionError("answered twice");
            }
        }

        @Override
        public void reply(EncodedMessage answer) {
            throw new AssertionError("not used here");
        }
    }

    private Response ask(int method, byte[] request) throws Exception {
        Answer answer = new Answer();
        node.handlers.get(method).handle("n2", ByteBuffer.wrap(request).asReadOnlyBuffer(), answer);
        return RouterProtocol.decodeResponse(ByteBuffer.wrap(answer.bytes.get(10, TimeUnit.SECONDS)));
    }

    private static byte[] increment() {
        return CommandCodec.encode(Envelope.of(new Command.Increment("n".getBytes(UTF_8), 1)));
    }

    @Test
    void aForwardedCommandIsAppliedAndItsResultSent() throws Exception {
        int shard = KeySlot.of(Bytes.utf8("n")) < 8192 ? 0 : 1;
        Response response =
                ask(RouterProtocol.METHOD_WRITE, RouterProtocol.request(shard, RouterProtocol.NO_SLOT, 0, increment()));
        assertThat(response.status()).isEqualTo(Status.OK);
        assertThat(ResultCodec.decode(response.body())).isEqualTo(new CommandResult.Incremented(1));
    }

    @Test
    void aForwardedQueryIsAnswered() throws Exception {
        byte[] query = QueryCodec.encode(new Query.Get("key".getBytes(UTF_8)));
        for (int flags : new int[] {0, RouterProtocol.FLAG_LOCAL}) {
            Response response = ask(
                    RouterProtocol.METHOD_READ, RouterProtocol.request(SHARD, RouterProtocol.NO_SLOT, flags, query));
            assertThat(response.status()).isEqualTo(Status.OK);
            QueryResult.Value value = (QueryResult.Value) QueryCodec.decodeResult(response.body());
            assertThat(value.value().value()).isEqualTo("key".getBytes(UTF_8));
        }
    }

    @Test
    void aShardThatIsNotHereIsNotLedHere() throws Exception {
        Response response =
                ask(RouterProtocol.METHOD_WRITE, RouterProtocol.request(99, RouterProtocol.NO_SLOT, 0, increment()));
        assertThat(response.status()).isEqualTo(Status.NOT_HERE);
        assertThat(response.leader()).isNull();
    }

    @Test
    void aReplicaThatHasFailedIsNone() throws Exception {
        CompletableFuture<Void> done = new CompletableFuture<>();
        node.loop.execute(() -> {
            node.router.localGone(SHARD);
            done.complete(null);
        });
        done.get(10, TimeUnit.SECONDS);
        byte[] query = QueryCodec.encode(new Query.Get("key".getBytes(UTF_8)));
        assertThat(ask(RouterProtocol.METHOD_READ, RouterProtocol.request(SHARD, RouterProtocol.NO_SLOT, 0, query))
                        .status())
                .isEqualTo(Status.NOT_HERE);
        assertThat(ask(
                                RouterProtocol.METHOD_WRITE,
                                RouterProtocol.request(SHARD, RouterProtocol.NO_SLOT, 0, increment()))
                        .leader())
                .as("not this node")
                .isNull();
    }

    @Test
    void whatCannotBeReadIsSaidToBeMalformed() throws Exception {
        assertThat(ask(RouterProtocol.METHOD_WRITE, new byte[] {1, 2}).status()).isEqualTo(Status.MALFORMED);
        assertThat(ask(RouterProtocol.METHOD_READ, new byte[] {7, 0, 0, 0, 0, 0})
                        .status())
                .isEqualTo(Status.MALFORMED);
        assertThat(ask(
                                RouterProtocol.METHOD_READ,
                                RouterProtocol.request(SHARD, RouterProtocol.NO_SLOT, 0, new byte[] {1, 99}))
                        .status())
                .isEqualTo(Status.MALFORMED);
    }

    @Test
    void noCommandThatCannotBeReadGetsIntoTheLog() throws Exception {
        Random random = new Random(3);
        byte[] good = increment();
        for (int i = 0; i < 500; i++) {
            byte[] bad = Arrays.copyOf(good, random.nextInt(good.length));
            assertThat(ask(RouterProtocol.METHOD_WRITE, RouterProtocol.request(SHARD, RouterProtocol.NO_SLOT, 0, bad))
                            .status())
                    .isEqualTo(Status.MALFORMED);
        }
        assertThat(node.store.blocking().get(KEY)).as("the replica serves on").isPresent();
    }

    @Test
    void aNodeThatHasEndedDoesNotClaimThatNothingHappens() {
        node.loop.close();
        // The network answers a handler that throws with "no answer", which leaves the outcome open.
        assertThatThrownBy(() -> ask(
                        RouterProtocol.METHOD_WRITE,
                        RouterProtocol.request(SHARD, RouterProtocol.NO_SLOT, 0, increment())))
                .isInstanceOf(RejectedExecutionException.class);
    }
}
