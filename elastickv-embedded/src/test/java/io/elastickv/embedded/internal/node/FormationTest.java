package io.elastickv.embedded.internal.node;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Member;
import io.elastickv.embedded.internal.transport.PeerAddress;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class FormationTest {

    private static final Logger LOGGER = (Logger) LoggerFactory.getLogger(Formation.class);

    @BeforeEach
    void silence() {
        LOGGER.setLevel(Level.OFF);
    }

    @AfterEach
    void speakAgain() {
        LOGGER.setLevel(null);
    }

    private static PeerAddress address(int i) {
        return new PeerAddress("h", 7800 + i);
    }

    private static List<PeerAddress> seeds(int count) {
        List<PeerAddress> seeds = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            seeds.add(address(i));
        }
        return seeds;
    }

    private static Hello hello(int i) {
        return hello(i, "n" + i, "id" + i, null);
    }

    private static Hello hello(int i, String name, String nodeId, ClusterLayout layout) {
        return new Hello(name, nodeId, false, address(i), 8, 3, Formation.ordered(seeds(3)), layout);
    }

    private static Hello storageless(ClusterLayout layout) {
        return new Hello("c", "", true, new PeerAddress("h", 9000), 8, 3, Formation.ordered(seeds(3)), layout);
    }

    private static ClusterLayout layout(String... nodeIds) {
        List<Member> members = new ArrayList<>();
        for (int i = 1; i <= nodeIds.length; i++) {
            members.add(new Member("n" + i, "h", 7800 + i, nodeIds[i - 1]));
        }
        return new ClusterLayout(members, 8, 3);
    }

    /** A node that forms, and the questions it has asked. */
    private static final class Forming {
        final Map<PeerAddress, RpcCallback> asked = new HashMap<>();
        final List<ClusterLayout> formed = new ArrayList<>();
        final List<String> refused = new ArrayList<>();
        final Formation formation;

        Forming(Hello self) {
            formation = new Formation(
                    self,
                    seeds(3),
                    (seed, method, payload, timeoutNanos, callback) -> {
                        assertThat(method).isEqualTo(Formation.METHOD_HELLO);
                        assertThat(Hello.decode(ByteBuffer.wrap(payload))).isEqualTo(self);
                        asked.put(seed, callback);
                    },
                    formed::add,
                    refused::add);
            formation.poll();
        }

        void answer(Hello hello) {
            asked.remove(hello.address()).success(ByteBuffer.wrap(hello.encode()));
        }

        int outcomes() {
            return formed.size() + refused.size();
        }
    }

    private static String refusal(Hello self, Hello other) {
        Forming node = new Forming(self);
        node.asked.get(address(2)).success(ByteBuffer.wrap(other.encode()));
        assertThat(node.formed).isEmpty();
        assertThat(node.refused).hasSize(1);
        return node.refused.get(0);
    }

    @Test
    void theClusterFormsOnceAllHaveAnswered() {
        Forming node = new Forming(hello(1));
        assertThat(node.asked).containsOnlyKeys(address(2), address(3));
        node.answer(hello(2));
        assertThat(node.outcomes()).isZero();
        node.answer(hello(3));
        assertThat(node.formed)
                .singleElement()
                .satisfies(layout -> assertThat(layout.toText())
                        .isEqualTo(layout("id1", "id2", "id3").toText()));
        node.formation.poll();
        node.formation.heard(address(2), hello(2));
        assertThat(node.outcomes()).as("told once").isEqualTo(1);
        assertThat(node.asked).isEmpty();
    }

    @Test
    void whoDoesNotAnswerIsAskedAgainAndWhoDidIsNot() {
        Forming node = new Forming(hello(1));
        node.answer(hello(2));
        node.asked.remove(address(3)).failure(RpcFailure.NOT_SENT);
        node.formation.poll();
        assertThat(node.asked).containsOnlyKeys(address(3));
        node.asked.get(address(3)).success(ByteBuffer.wrap(new byte[] {1, 2, 3}));
        assertThat(node.outcomes()).as("an answer that cannot be read is none").isZero();
        node.formation.poll();
        node.answer(hello(3));
        assertThat(node.formed).hasSize(1);
    }

    @Test
    void aQuestionIsAsGoodAsAnAnswer() {
        Forming node = new Forming(hello(1));
        node.formation.heard(address(2), hello(2));
        node.formation.heard(address(3), hello(3));
        assertThat(node.formed).hasSize(1);
    }

    @Test
    void allComputeTheSameLayoutInWhateverOrderTheyHear() {
        Random random = new Random(5);
        String expected = layout("id1", "id2", "id3").toText();
        for (int round = 0; round < 30; round++) {
            int self = 1 + random.nextInt(3);
            Forming node = new Forming(hello(self));
            List<Integer> others = new ArrayList<>(List.of(1, 2, 3));
            others.remove(Integer.valueOf(self));
            java.util.Collections.shuffle(others, random);
            others.forEach(other -> node.answer(hello(other)));
            assertThat(node.formed.get(0).toText()).isEqualTo(expected);
        }
    }

    @Test
    void contradictionsAreNamed() {
        assertThat(refusal(hello(1), new Hello("n2", "id2", false, address(3), 8, 3, hello(1).seeds(), null)))
                .isEqualTo("seed h:7802 answers as h:7803: name it in the seeds by that address");
        assertThat(refusal(hello(1), new Hello("n2", "id2", false, address(2), 8, 3, List.of("h:7802"), null)))
                .contains("node n2 at h:7802 was started with seeds = [h:7802]", "need the same list");
        assertThat(refusal(hello(1), new Hello("n2", "id2", false, address(2), 9, 3, hello(1).seeds(), null)))
                .contains("shards = 9", "shards = 8");
        assertThat(refusal(hello(1), new Hello("n2", "id2", false, address(2), 8, 1, hello(1).seeds(), null)))
                .contains("replicationFactor = 1", "replicationFactor = 3");
        assertThat(refusal(hello(1), hello(2, "n1", "id2", null))).contains("is named n1 as this one is");
    }

    @Test
    void twoOthersOfOneNameAreRefused() {
        Forming node = new Forming(hello(1));
        node.answer(hello(2));
        node.answer(hello(3, "n2", "id3", null));
        assertThat(node.refused).singleElement().asString().contains("two members are named n2");
    }

    @Test
    void aMemberReturnsToTheClusterThatItBelongsTo() {
        Forming node = new Forming(hello(1));
        node.answer(hello(2, "n2", "id2", layout("id1", "id2", "id3")));
        assertThat(node.formed).hasSize(1);
    }

    @Test
    void aMemberWithoutItsDirectoryWaitsUntilTheOthersTakeItForTheOneThatTheyKnew() {
        Forming node = new Forming(hello(1));
        ClusterLayout before = layout("another", "id2", "id3");
        node.answer(hello(2, "n2", "id2", before));
        assertThat(node.outcomes()).isZero();
        node.formation.poll();
        assertThat(node.asked).as("asked again").containsKey(address(2));
        ClusterLayout after = before.succeeded("n1", "id1", 1);
        node.answer(hello(2, "n2", "id2", after));
        assertThat(node.formed)
                .singleElement()
                .satisfies(layout -> assertThat(layout.toText()).isEqualTo(after.toText()));
    }

    @Test
    void aDirectoryThatWasReplacedIsRefused() {
        ClusterLayout layout = layout("id1", "id2", "id3").succeeded("n1", "new", 1);
        assertThat(refusal(hello(1), hello(2, "n2", "id2", layout)))
                .contains("data directory id1 of node n1 was given up", "came back with directory new");
    }

    @Test
    void aMemberAtAnotherAddressIsRefused() {
        Hello moved = new Hello("n1", "id9", false, address(9), 8, 3, Formation.ordered(seeds(3)), null);
        assertThat(refusal(moved, hello(2, "n2", "id2", layout("id1", "id2", "id3"))))
                .contains("address = h:7809", "knows node n1 at h:7801");
    }

    @Test
    void aStrangerIsRefused() {
        Hello stranger = hello(1, "n9", "id9", null);
        assertThat(refusal(stranger, hello(2, "n2", "id2", layout("id1", "id2", "id3"))))
                .contains("formed without a member named n9");
    }

    @Test
    void aStoragelessNodeTakesWhateverClusterThereIsAndFormsNone() {
        Forming node = new Forming(storageless(null));
        assertThat(node.asked).hasSize(3);
        node.answer(hello(1));
        node.answer(hello(2));
        node.answer(hello(3));
        assertThat(node.outcomes()).isZero();
        node.formation.poll();
        node.answer(hello(2, "n2", "id2", layout("id1", "id2", "id3")));
        assertThat(node.formed).hasSize(1);
    }

    @Test
    void aStoragelessNodeIsNoMember() {
        Forming node = new Forming(hello(1));
        node.formation.heard(address(2), storageless(null));
        node.formation.heard(address(3), hello(3));
        assertThat(node.outcomes()).isZero();
    }

    @Test
    void whoWasStoppedTellsNothing() {
        Forming node = new Forming(hello(1));
        node.formation.stop();
        node.answer(hello(2));
        node.answer(hello(3));
        node.formation.poll();
        assertThat(node.outcomes()).isZero();
        assertThat(node.asked).isEmpty();
    }

    @Test
    void seedsAreComparedWithoutRegardToTheirOrder() {
        List<PeerAddress> reversed = new ArrayList<>(seeds(3));
        java.util.Collections.reverse(reversed);
        assertThat(Formation.ordered(reversed)).isEqualTo(Formation.ordered(seeds(3)));
    }
}
