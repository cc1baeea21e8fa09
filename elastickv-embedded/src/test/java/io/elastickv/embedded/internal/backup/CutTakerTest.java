package io.elastickv.embedded.internal.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.backup.BackupProtocol.Refusal;
import io.elastickv.embedded.internal.backup.BackupProtocol.Request;
import io.elastickv.embedded.internal.backup.BackupProtocol.Standing;
import io.elastickv.embedded.internal.backup.CutTaker.Cut;
import io.elastickv.embedded.internal.routing.ShardRoute;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The order in which the leaders are asked, against leaders that the test plays. */
@Timeout(60)
class CutTakerTest {

    private static final long SECOND = 1_000_000_000L;

    private final List<ShardRoute> shards = new ArrayList<>();
    private final List<String> asked = new ArrayList<>();
    private long paused;
    private Leaders leaders = (node, method, request) -> granted(request);

    private interface Leaders {
        /** The answer; null for none. */
        byte[] answer(String node, int method, Request request);
    }

    private CutTakerTest() {
        for (int i = 0; i < 3; i++) {
            ShardRoute route = new ShardRoute(i, 1, slots(i), List.of("n0", "n1", "n2"));
            route.learn(1, "n" + i);
            shards.add(route);
        }
    }

    private static List<SlotRange> slots(int shard) {
        return List.of(new SlotRange(shard * 5000, shard == 2 ? 16383 : shard * 5000 + 4999));
    }

    private static byte[] granted(Request request) {
        return standing(request.shard(), slots(request.shard()));
    }

    private static byte[] standing(int shard, List<SlotRange> slots) {
        return BackupProtocol.encode(new Standing(1, 10 + shard, 1000, slots));
    }

    private static String nameOf(int method) {
        return switch (method) {
            case BackupProtocol.METHOD_PREPARE -> "prepare";
            case BackupProtocol.METHOD_FREEZE -> "freeze";
            case BackupProtocol.METHOD_RELEASE -> "release";
            default -> "end";
        };
    }

    private void call(String node, int method, byte[] payload, long timeoutNanos, RpcCallback callback) {
        Request request = BackupProtocol.request(ByteBuffer.wrap(payload));
        asked.add(nameOf(method) + " " + request.shard() + " at " + node);
        byte[] answer = method == BackupProtocol.METHOD_END ? new byte[0] : leaders.answer(node, method, request);
        if (answer == null) {
            callback.failure(RpcFailure.NO_ANSWER);
        } else {
            callback.success(ByteBuffer.wrap(answer));
        }
    }

    private Cut take() throws Exception {
        long now = System.nanoTime();
        return new CutTaker(new LeaderCalls(this::call), () -> List.copyOf(shards), millis -> paused += millis)
                .take(now + SECOND / 5, now + SECOND);
    }

    @Test
    void nobodyIsReleasedBeforeAllStandStill() throws Exception {
        Cut cut = take();
        assertThat(asked)
                .containsExactly(
                        "prepare 0 at n0",
                        "prepare 1 at n1",
                        "prepare 2 at n2",
                        "freeze 0 at n0",
                        "freeze 1 at n1",
                        "freeze 2 at n2",
                        "release 0 at n0",
                        "release 1 at n1",
                        "release 2 at n2");
        assertThat(cut.parts()).hasSize(3);
        assertThat(cut.parts().get(2)).isEqualTo(new CutTaker.Part(2, "n2", new Standing(1, 12, 1000, slots(2))));
    }

    @Test
    void nobodyStandsStillForAShardWithoutALeader() {
        leaders = (node, method, request) -> request.shard() == 1 ? null : granted(request);
        assertThatThrownBy(this::take)
                .isInstanceOf(ExportFailedException.class)
                .hasMessage("not every shard has a leader with a majority: shard 1: node n1 did not answer");
        assertThat(asked).noneMatch(call -> call.startsWith("freeze"));
    }

    @Test
    void aShardWhoseLeaderIsNotKnownIsNamed() {
        shards.get(2).forget("n2");
        assertThatThrownBy(this::take).hasMessageContaining("shard 2 has no known leader");
        assertThat(asked).noneMatch(call -> call.startsWith("freeze"));
    }

    @Test
    void theNewLeaderIsFollowed() throws Exception {
        leaders = (node, method, request) -> request.shard() == 1 && node.equals("n1")
                ? BackupProtocol.encode(new Refusal(2, "n2", "the replica does not lead"))
                : granted(request);
        assertThat(take().parts().get(1).node()).isEqualTo("n2");
    }

    @Test
    void aLeaderThatWritesACheckpointIsWaitedForLongerThanOneThatIsMissing() throws Exception {
        long until = System.nanoTime() + SECOND / 4;
        leaders = (node, method, request) -> request.shard() == 1 && System.nanoTime() - until < 0
                ? BackupProtocol.encode(new Refusal(1, "n1", "a checkpoint is being written"))
                : granted(request);
        assertThat(take().parts()).hasSize(3);
    }

    @Test
    void whenOneDoesNotStandStillAllAreReleasedAndAskedAgain() throws Exception {
        int[] freezes = new int[1];
        leaders = (node, method, request) ->
                method == BackupProtocol.METHOD_FREEZE && request.shard() == 1 && freezes[0]++ == 0
                        ? BackupProtocol.encode(new Refusal(1, "n1", "the log did not come to rest in time"))
                        : granted(request);
        take();
        assertThat(asked.subList(6, 9)).containsExactly("end 0 at n0", "end 1 at n1", "end 2 at n2");
        assertThat(asked).filteredOn(call -> call.startsWith("release")).hasSize(3);
    }

    @Test
    void aLeaderThatWentOnTooEarlyOrWasReplacedSpoilsTheCut() {
        leaders = (node, method, request) -> method == BackupProtocol.METHOD_RELEASE && request.shard() == 2
                ? BackupProtocol.encode(new Refusal(1, "n2", "it does not lead any more"))
                : granted(request);
        assertThatThrownBy(this::take)
                .isInstanceOf(ExportFailedException.class)
                .hasMessageContaining("in 5 attempts")
                .hasMessageContaining("shard 2: node n2: it does not lead any more");
        assertThat(asked).filteredOn(call -> call.equals("end 2 at n2")).hasSize(5);
        assertThat(paused).isBetween(1_000L, 5_000L);
    }

    @Test
    void answersThatMakeNoSenseAreRefusals() {
        leaders = (node, method, request) -> request.shard() == 0 ? new byte[] {9, 9, 9} : granted(request);
        assertThatThrownBy(this::take).hasMessageContaining("node n0 gave an answer of another version");
        leaders = (node, method, request) -> request.shard() == 0 ? new byte[] {2, 1, 0} : granted(request);
        assertThatThrownBy(this::take).hasMessageContaining("node n0 gave an answer that is cut short");
    }

    @Test
    void aShardThatWasDividedMeanwhileIsNotTakenWithoutItsOtherHalf() throws Exception {
        List<SlotRange> left = List.of(new SlotRange(5000, 6999));
        List<SlotRange> right = List.of(new SlotRange(7000, 9999));
        leaders = (node, method, request) -> switch (request.shard()) {
            case 1 -> standing(1, left);
            case 7 -> standing(7, right);
            default -> granted(request);
        };
        assertThatThrownBy(this::take)
                .isInstanceOf(ExportFailedException.class)
                .hasMessageContaining("in 5 attempts")
                .hasMessageContaining("slot 7000, which none of the shards owned");
        assertThat(asked).noneMatch(call -> call.startsWith("release"));
        assertThat(asked).filteredOn(call -> call.equals("end 1 at n1")).hasSize(5);
        ShardRoute child = new ShardRoute(7, 2, right, List.of("n0", "n1", "n2"));
        child.learn(1, "n0");
        shards.add(child);
        assertThat(take().parts()).hasSize(4);
    }

    @Test
    void aShardFromBeforeItsDivisionIsNotMixedWithItsOtherHalf() {
        ShardRoute child = new ShardRoute(7, 2, List.of(new SlotRange(7000, 9999)), List.of("n0", "n1", "n2"));
        child.learn(1, "n0");
        shards.add(child);
        leaders = (node, method, request) -> request.shard() == 7 ? standing(7, child.slots()) : granted(request);
        assertThatThrownBy(this::take).hasMessageContaining("slot 7000, which more than one of the shards owned");
        assertThat(asked).noneMatch(call -> call.startsWith("release"));
    }

    @Test
    void theShardsAreLookedUpAgainForEachAttempt() throws Exception {
        ShardRoute child = new ShardRoute(7, 2, List.of(new SlotRange(7000, 9999)), List.of("n0", "n1", "n2"));
        child.learn(1, "n0");
        leaders = (node, method, request) -> {
            if (request.shard() == 1 && method == BackupProtocol.METHOD_FREEZE && !shards.contains(child)) {
                shards.add(child); // this node hears of it while it asks
            }
            return switch (request.shard()) {
                case 1 -> standing(1, List.of(new SlotRange(5000, 6999)));
                case 7 -> standing(7, child.slots());
                default -> granted(request);
            };
        };
        assertThat(take().parts()).hasSize(4);
        assertThat(paused).as("one attempt was in vain").isPositive();
    }
}
