package io.elastickv.embedded.internal.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.internal.transport.PendingCalls.Call;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

class OutboxTest {
    private static final RpcCallback IGNORE = new RpcCallback() {
        @Override
        public void success(ByteBuffer answer) {}

        @Override
        public void failure(RpcFailure failure) {}
    };

    @Test
    void refusesWhatDoesNotFitAndTakesItLater() {
        Outbox outbox = new Outbox(40, 1000);
        assertThat(outbox.addGroup(1, EncodedMessage.of(new byte[900]))).isTrue();
        assertThat(outbox.addGroup(1, EncodedMessage.of(new byte[200]))).isFalse();
        assertThat(outbox.addResponse(1, 1, (byte) 0, EncodedMessage.of(new byte[200])))
                .isFalse();
        assertThat(outbox.addRequest(new Call(IGNORE, 1), 1, EncodedMessage.of(new byte[200])))
                .isFalse();
        assertThat(outbox.takeFrame()).isNotNull();
        assertThat(outbox.waitingBytes()).isZero();
        assertThat(outbox.addGroup(1, EncodedMessage.of(new byte[200]))).isTrue();
    }

    @Test
    void refusesALargeItemBeyondTheBound() {
        Outbox outbox = new Outbox(40, 200_000);
        assertThat(outbox.addGroup(1, EncodedMessage.of(new byte[150_000]))).isTrue();
        assertThat(outbox.addGroup(1, EncodedMessage.of(new byte[100_000]))).isFalse();
        outbox.endTransfer(Objects.requireNonNull(outbox.peekTransfer()));
        assertThat(outbox.waitingBytes()).isZero();
        assertThat(outbox.isEmpty()).isTrue();
    }

    @Test
    void framesStayBelowTheTargetAndAreNumberedInOrder() {
        Outbox outbox = new Outbox(40, 10_000_000);
        Random random = new Random(5);
        int added = 0;
        for (int i = 0; i < 1000; i++) {
            if (outbox.addGroup(i, EncodedMessage.of(new byte[random.nextInt(5000)]))) {
                added++;
            }
        }
        assertThat(added).isEqualTo(1000);
        long last = 0;
        int bytes = 0;
        for (Outbox.OutFrame frame = outbox.takeFrame(); frame != null; frame = outbox.takeFrame()) {
            assertThat(frame.number).isGreaterThan(last);
            last = frame.number;
            assertThat(frame.buffer.limit()).isLessThanOrEqualTo(Frames.FRAME_TARGET_BYTES);
            bytes += frame.buffer.limit();
            outbox.recycle(frame);
        }
        assertThat(bytes).isGreaterThan(1_000_000);
        assertThat(outbox.waitingBytes()).isZero();
    }

    @Test
    void aCallKnowsItsFrame() {
        Outbox outbox = new Outbox(40, 1_000_000);
        Call one = new Call(IGNORE, 1);
        Call two = new Call(IGNORE, 1);
        Call large = new Call(IGNORE, 1);
        outbox.addRequest(one, 1, EncodedMessage.of(new byte[10]));
        Outbox.OutFrame first = Objects.requireNonNull(outbox.takeFrame());
        outbox.addRequest(two, 1, EncodedMessage.of(new byte[10]));
        outbox.addRequest(large, 1, EncodedMessage.of(new byte[100_000]));
        assertThat(one.frame).isEqualTo(first.number);
        assertThat(two.frame).isGreaterThan(first.number);
        assertThat(large.frame).isEqualTo(Call.NOT_IN_A_FRAME);
        Outbox.Dropped dropped = outbox.dropAll();
        assertThat(dropped.lastFrame()).isEqualTo(two.frame);
        assertThat(dropped.transfers()).hasSize(1);
        assertThat(outbox.isEmpty()).isTrue();
    }

    @Test
    void pendingCallsAreFoundByIdWhateverTheOrder() {
        PendingCalls pending = new PendingCalls();
        long seed = System.nanoTime();
        Random random = new Random(seed);
        Map<Long, Call> model = new HashMap<>();
        List<Long> ids = new ArrayList<>();
        long highest = 0;
        for (int i = 0; i < 200_000; i++) {
            if (random.nextInt(100) < (i < 100_000 ? 60 : 45) || ids.isEmpty()) {
                Call call = new Call(IGNORE, 1000 + random.nextInt(1000));
                pending.add(call);
                assertThat(call.id).as("seed %d", seed).isGreaterThan(highest);
                highest = call.id;
                model.put(call.id, call);
                ids.add(call.id);
            } else {
                int at = random.nextInt(ids.size());
                long id = ids.set(at, ids.get(ids.size() - 1));
                ids.remove(ids.size() - 1);
                if (pending.remove(id) != model.remove(id)) {
                    throw new AssertionError("seed " + seed);
                }
                assertThat(pending.remove(id)).isNull();
            }
        }
        assertThat(pending.size()).isEqualTo(model.size());
        assertThat(pending.expire(999)).isEmpty();
        int expired = pending.expire(1500).size();
        assertThat(expired).isEqualTo((int)
                model.values().stream().filter(c -> c.deadlineNanos <= 1500).count());
        assertThat(pending.earliestDeadlineNanos()).isGreaterThan(1500);
        pending.removeIf(call -> true);
        assertThat(pending.size()).isZero();
    }

    @Test
    void chunksMakeTheItemAndALostOneLosesIt() {
        Assembly assembly = new Assembly(1_000_000);
        byte[] item = new byte[500_000];
        new Random(1).nextBytes(item);
        assertThat(assembly.add(1, item.length, 0, ByteBuffer.wrap(item, 0, 200_000)))
                .isNull();
        ByteBuffer whole = assembly.add(1, item.length, 200_000, ByteBuffer.wrap(item, 200_000, 300_000));
        assertThat(whole).isEqualTo(ByteBuffer.wrap(item));
        assertThat(assembly.add(2, item.length, 0, ByteBuffer.wrap(item, 0, 200_000)))
                .isNull();
        assertThat(assembly.add(2, item.length, 300_000, ByteBuffer.wrap(item, 300_000, 200_000)))
                .isNull();
        assertThat(assembly.add(2, item.length, 200_000, ByteBuffer.wrap(item, 200_000, 300_000)))
                .isNull();
        assertThat(assembly.add(3, 2_000_000, 0, ByteBuffer.wrap(item))).isNull();
        assertThat(assembly.add(4, 10, 0, ByteBuffer.wrap(item, 0, 10))).isEqualTo(ByteBuffer.wrap(item, 0, 10));
    }

    @Test
    void addressesAreReadWithClearErrors() {
        assertThat(PeerAddress.parse(" host:70 ")).isEqualTo(new PeerAddress("host", 70));
        assertThat(PeerAddress.parse("[::1]:70")).isEqualTo(new PeerAddress("::1", 70));
        assertThat(new PeerAddress("::1", 70)).hasToString("[::1]:70");
        for (String bad : new String[] {"host", "host:", ":70", "host:abc", "host:0", "host:65536", "::1:70", ""}) {
            try {
                PeerAddress.parse(bad);
                throw new AssertionError(bad);
            } catch (IllegalArgumentException e) {
                assertThat(e).hasMessageContaining("'" + bad + "'");
            }
        }
    }
}
