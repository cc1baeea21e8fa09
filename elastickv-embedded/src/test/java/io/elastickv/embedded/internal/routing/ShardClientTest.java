package io.elastickv.embedded.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.elastickv.api.Bytes;
import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.api.OverloadedException;
import io.elastickv.api.UnavailableException;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.routing.ClientFixture.Sent;
import io.elastickv.embedded.internal.routing.RouterProtocol.Status;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

@Timeout(60)
class ShardClientTest {

    private static final Logger LOGGER = (Logger) LoggerFactory.getLogger("io.elastickv.embedded.internal.routing");
    private static final CommandResult ONE = new CommandResult.Incremented(1);
    private static final QueryResult NOTHING = new QueryResult.Value(null);

    private final ClientFixture node = new ClientFixture();

    @BeforeEach
    void silence() {
        LOGGER.setLevel(Level.OFF);
    }

    @AfterEach
    void end() {
        LOGGER.setLevel(null);
        node.close();
    }

    private void leaderIs(long term, String leader) {
        node.route.learn(term, leader);
    }

    // ---- sessions

    @Test
    void theFirstWriteOpensASessionAndAllOthersUseIt() {
        leaderIs(1, "n2");
        Told<CommandResult> a = node.write("a");
        Told<CommandResult> b = node.write("b");
        node.openSession(77);
        Sent first = node.take();
        Sent second = node.take();
        assertThat(first.peer).isEqualTo("n2");
        assertThat(first.envelope().sessionId()).isEqualTo(77);
        assertThat(first.envelope().sequence()).isEqualTo(1);
        assertThat(second.envelope().sequence()).isEqualTo(2);
        assertThat(second.envelope().ackedBelow()).isEqualTo(1);
        second.result(ONE);
        first.result(ONE);
        assertThat(a.result()).isEqualTo(ONE);
        assertThat(b.result()).isEqualTo(ONE);
        node.write("c");
        assertThat(node.take().envelope().ackedBelow())
                .as("all before have arrived")
                .isEqualTo(3);
    }

    @Test
    void aRetryHasTheSameNumber() {
        leaderIs(1, "n2");
        node.withSession(7);
        Told<CommandResult> told = node.write("a");
        node.take().fail(RpcFailure.NO_ANSWER);
        Sent again = node.takeLater();
        assertThat(again.envelope().sessionId()).isEqualTo(7);
        assertThat(again.envelope().sequence()).isEqualTo(2);
        again.result(ONE);
        assertThat(told.result()).isEqualTo(ONE);
        node.assertAllReleased();
    }

    @Test
    void aSessionThatIsUnknownIsReplacedAndTheCommandGoesIntoTheNewOne() {
        leaderIs(1, "n2");
        node.withSession(7);
        Told<CommandResult> told = node.write("a");
        node.take().result(new CommandResult.SessionUnknown());
        node.openSession(8);
        Sent again = node.take();
        assertThat(again.envelope().sessionId()).isEqualTo(8);
        assertThat(again.envelope().sequence()).isEqualTo(1);
        again.result(ONE);
        assertThat(told.result()).isEqualTo(ONE);
        node.assertAllReleased();
    }

    @Test
    void aCommandThatMayHaveTakenEffectDoesNotGoIntoANewSession() {
        leaderIs(1, "n2");
        node.withSession(7);
        Told<CommandResult> told = node.write("a");
        node.take().fail(RpcFailure.NO_ANSWER);
        node.takeLater().result(new CommandResult.SessionUnknown());
        assertThat(told.failure()).isInstanceOf(OutcomeUnknownException.class).hasMessageContaining("session");
        node.assertAllReleased();
    }

    @Test
    void aForgottenOutcomeIsUnknown() {
        leaderIs(1, "n2");
        node.withSession(7);
        Told<CommandResult> told = node.write("a");
        node.take().result(new CommandResult.OutcomeForgotten());
        assertThat(told.failure()).isInstanceOf(OutcomeUnknownException.class);
        node.assertAllReleased();
    }

    @Test
    void whatIsAcknowledgedInANewSessionDoesNotPassItsUnansweredCommands() {
        leaderIs(1, "n2");
        node.withSession(7);
        node.write("a");
        Sent pendingInOldSession = node.take();
        node.write("b");
        node.take().result(new CommandResult.SessionUnknown());
        node.openSession(8);
        Sent b = node.take();
        assertThat(b.envelope().sequence()).isEqualTo(1);
        node.write("c");
        Sent c = node.take();
        assertThat(c.envelope().sequence()).isEqualTo(2);
        assertThat(c.envelope().ackedBelow()).as("b has no answer yet").isEqualTo(1);
        pendingInOldSession.result(new CommandResult.SessionUnknown());
        Sent a = node.take();
        assertThat(a.envelope().sequence()).isEqualTo(3);
        assertThat(a.envelope().ackedBelow()).isEqualTo(1);
    }

    @Test
    void aRetryInALostSessionAcknowledgesNothing() {
        leaderIs(1, "n2");
        node.withSession(7);
        Told<CommandResult> a = node.write("a");
        Sent first = node.take();
        node.write("b");
        node.take().result(new CommandResult.SessionUnknown());
        node.openSession(8);
        node.take();
        first.fail(RpcFailure.NO_ANSWER);
        Sent retry = node.takeLater();
        assertThat(retry.envelope().sessionId()).isEqualTo(7);
        assertThat(retry.envelope().ackedBelow()).isZero();
        retry.result(new CommandResult.SessionUnknown());
        assertThat(a.failure()).isInstanceOf(OutcomeUnknownException.class);
    }

    @Test
    void whatWaitsForAFullSessionGoesOnInANewOneWhenTheOldIsLost() {
        ClientFixture wide = new ClientFixture(100_000);
        wide.route.learn(1, "n2");
        wide.withSession(7);
        List<Sent> inSession = new ArrayList<>();
        for (int i = 0; i < 16_384; i++) {
            wide.write("a" + i);
            inSession.add(wide.take());
        }
        Told<CommandResult> waiting = wide.write("waits");
        assertThat(wide.sent).as("the session is full").isEmpty();
        wide.manual.advance(Duration.ofMillis(2100));
        wide.sent.clear(); // every attempt has timed out: none of the commands may go into another session
        inSession.forEach(sent -> sent.result(new CommandResult.SessionUnknown()));
        wide.openSession(8);
        Sent next = wide.take();
        assertThat(next.envelope().sessionId()).isEqualTo(8);
        next.result(ONE);
        assertThat(waiting.result()).isEqualTo(ONE);
        wide.assertAllReleased();
        wide.close();
    }

    @Test
    void aFullSessionLetsTheNextInWhenItsOldestEnds() {
        ClientFixture wide = new ClientFixture(100_000);
        wide.route.learn(1, "n2");
        wide.withSession(7);
        List<Sent> inSession = new ArrayList<>();
        for (int i = 0; i < 16_384; i++) {
            wide.write("a" + i);
            inSession.add(wide.take());
        }
        wide.write("waits");
        inSession.get(5).result(ONE);
        assertThat(wide.sent).as("the span of numbers is what is bounded").isEmpty();
        inSession.get(0).result(ONE);
        assertThat(wide.take().envelope().sequence()).isEqualTo(16_386);
        wide.close();
    }

    @Test
    void aSessionThatCannotBeOpenedLetsWritesEndAsNotApplied() {
        leaderIs(1, "n2");
        Told<CommandResult> told = node.write("a");
        for (int i = 0; i < 600; i++) {
            while (!node.sent.isEmpty()) {
                node.take().refuse(Status.NOT_LEADER, 1, null);
            }
            node.manual.advance(Duration.ofMillis(10));
        }
        assertThat(told.failure()).isInstanceOf(UnavailableException.class);
        node.assertAllReleased();
    }

    // ---- where to

    @Test
    void withoutAKnownLeaderTheReplicasAreAskedInTurn() {
        node.read("k", 0);
        Set<String> asked = new HashSet<>();
        for (int i = 0; i < 3; i++) {
            Sent sent = node.takeLater();
            asked.add(sent.peer);
            sent.refuse(Status.NOT_LEADER, 0, null);
        }
        assertThat(asked).containsExactlyInAnyOrder("n1", "n2", "n3");
    }

    @Test
    void aHintIsFollowedAtOnceButNotForEver() {
        Told<QueryResult> told = node.read("k", 0);
        node.take().refuse(Status.NOT_LEADER, 4, "n3");
        Sent second = node.take();
        assertThat(second.peer).isEqualTo("n3");
        second.refuse(Status.NOT_LEADER, 5, "n1");
        Sent third = node.take();
        assertThat(third.peer).isEqualTo("n1");
        third.refuse(Status.NOT_LEADER, 6, "n3");
        node.take().refuse(Status.NOT_LEADER, 7, "n1");
        assertThat(node.sent).as("they send it in circles").isEmpty();
        Sent later = node.takeLater();
        assertThat(later.peer).isEqualTo("n1");
        later.result(NOTHING);
        assertThat(told.result()).isEqualTo(NOTHING);
    }

    @Test
    void newsOfAnOlderTermDoNotMislead() {
        leaderIs(9, "n2");
        node.read("k", 0);
        Sent sent = node.take();
        assertThat(sent.peer).isEqualTo("n2");
        sent.refuse(Status.OVERLOADED, 3, "n1");
        assertThat(node.takeLater().peer).isEqualTo("n2");
    }

    @Test
    void aLeaderThatDoesNotAnswerIsForgotten() {
        leaderIs(9, "n2");
        node.read("k", 0);
        node.take().fail(RpcFailure.NOT_SENT);
        assertThat(node.route.leader()).isNull();
        assertThat(node.takeLater().peer).isEqualTo("n1");
    }

    @Test
    void aNodeWhoseReplicaHasFailedAsksOthersAlthoughItWasTheLeader() {
        leaderIs(9, "n0");
        node.client.localGone();
        assertThat(node.route.leader()).isNull();
        node.route.learn(10, "n0");
        node.read("k", 0);
        assertThat(node.take().peer).isEqualTo("n1");
        node.write("k");
        assertThat(node.take().peer).isEqualTo("n2");
    }

    @Test
    void aNodeThatHasNoReplicaAnyMoreIsLeftForOthers() {
        leaderIs(9, "n2");
        Told<QueryResult> told = node.read("k", 0);
        Sent sent = node.take();
        assertThat(sent.peer).isEqualTo("n2");
        sent.refuse(Status.NOT_HERE, 8, "n2");
        assertThat(node.route.leader())
                .as("whatever it remembers of an earlier term")
                .isNull();
        node.route.learnReplicas(2, List.of("n1", "n3"));
        for (int i = 0; i < 4; i++) {
            Sent next = node.takeLater();
            assertThat(next.peer).isIn("n1", "n3");
            next.refuse(Status.NOT_LEADER, 0, null);
        }
        Sent hinted = node.takeLater();
        hinted.refuse(Status.NOT_HERE, 10, "n3");
        Sent last = node.takeLater();
        assertThat(last.peer).isEqualTo("n3");
        last.result(NOTHING);
        assertThat(told.result()).isEqualTo(NOTHING);
    }

    @Test
    void whyThereCanBeNoLeaderIsPartOfWhatCallersAreTold() {
        node.route.trouble("nobody remembers it");
        Told<QueryResult> told = node.read("k", 0);
        node.manual.advance(Duration.ofSeconds(6));
        assertThat(told.failure())
                .isInstanceOf(UnavailableException.class)
                .hasMessageEndingWith("; nobody remembers it");
    }

    @Test
    void onlyAReadOfAnyStalenessMayBeAnsweredFromLocalState() {
        leaderIs(1, "n2");
        node.read("k", 0);
        node.read("k", 1_000_000_000L);
        node.read("k", Long.MAX_VALUE);
        List<Integer> flags = new ArrayList<>();
        while (!node.sent.isEmpty()) {
            flags.add(RouterProtocol.decodeRequest(java.nio.ByteBuffer.wrap(node.take().payload))
                    .flags());
        }
        assertThat(flags).containsExactly(0, 0, RouterProtocol.FLAG_LOCAL);
    }

    // ---- how it ends

    @Test
    void aWriteThatWasNeverHandedOnIsNotApplied() {
        leaderIs(1, "n2");
        node.withSession(7);
        Told<CommandResult> told = node.write("a");
        for (int i = 0; i < 600 && told.times() == 0; i++) {
            while (!node.sent.isEmpty()) {
                node.take().fail(RpcFailure.NOT_SENT);
            }
            node.manual.advance(Duration.ofMillis(10));
        }
        assertThat(told.failure())
                .isInstanceOf(UnavailableException.class)
                .hasMessageContaining("shard 1 via node n0")
                .hasMessageContaining("no answer within 5000 ms")
                .hasMessageContaining("cannot be reached");
        node.assertAllReleased();
    }

    @Test
    void aWriteThatIsUnderWayAtItsDeadlineIsUnknown() {
        leaderIs(1, "n2");
        node.withSession(7);
        Told<CommandResult> told = node.write("a");
        node.manual.advance(ClientFixture.TIMEOUT.plusMillis(50));
        assertThat(told.failure()).isInstanceOf(OutcomeUnknownException.class);
        assertThat(node.sent).as("tried again every two seconds").hasSize(3);
        node.sent.forEach(sent -> sent.result(ONE));
        assertThat(told.times()).as("late answers change nothing").isEqualTo(1);
        node.assertAllReleased();
    }

    @Test
    void aWriteWithOneAttemptThatMayTakeEffectIsUnknownWhateverTheOthersSaid() {
        leaderIs(1, "n2");
        node.withSession(7);
        Told<CommandResult> told = node.write("a");
        node.take().refuse(Status.UNKNOWN, 1, "n2");
        for (int i = 0; i < 600 && told.times() == 0; i++) {
            while (!node.sent.isEmpty()) {
                node.take().refuse(Status.NOT_LEADER, 1, null);
            }
            node.manual.advance(Duration.ofMillis(10));
        }
        assertThat(told.failure()).isInstanceOf(OutcomeUnknownException.class);
        node.assertAllReleased();
    }

    @Test
    void aLateUnknownOfAnEarlierAttemptCountsToo() {
        leaderIs(1, "n2");
        node.withSession(7);
        Told<CommandResult> told = node.write("a");
        Sent early = node.take();
        node.manual.advance(Duration.ofMillis(2050));
        early.refuse(Status.NOT_LEADER, 1, null);
        assertThat(told.times()).isZero();
        node.take().fail(RpcFailure.NOT_SENT);
        for (int i = 0; i < 600 && told.times() == 0; i++) {
            while (!node.sent.isEmpty()) {
                node.take().fail(RpcFailure.NOT_SENT);
            }
            node.manual.advance(Duration.ofMillis(10));
        }
        assertThat(told.failure())
                .as("nobody knew for two seconds, so it is not claimed")
                .isInstanceOf(OutcomeUnknownException.class);
    }

    @Test
    void aLateResultOfAnEarlierAttemptIsTheResult() {
        leaderIs(1, "n2");
        node.withSession(7);
        Told<CommandResult> told = node.write("a");
        Sent early = node.take();
        node.manual.advance(Duration.ofMillis(2050));
        Sent late = node.take();
        early.result(ONE);
        assertThat(told.result()).isEqualTo(ONE);
        late.result(new CommandResult.OutcomeForgotten());
        assertThat(told.times()).isEqualTo(1);
        node.assertAllReleased();
    }

    @Test
    void overloadAtTheLeaderIsToldAtTheDeadline() {
        leaderIs(1, "n2");
        node.withSession(7);
        Told<CommandResult> told = node.write("a");
        for (int i = 0; i < 600 && told.times() == 0; i++) {
            while (!node.sent.isEmpty()) {
                node.take().refuse(Status.OVERLOADED, 1, "n2");
            }
            node.manual.advance(Duration.ofMillis(10));
        }
        assertThat(told.failure()).isInstanceOf(OverloadedException.class);
        assertThat(((OverloadedException) told.failure()).retryAfter()).isPositive();
        node.assertAllReleased();
    }

    @Test
    void anOverloadedLeaderIsNotAskedAgainAtOnce() {
        leaderIs(1, "n2");
        node.withSession(7);
        node.write("a");
        node.take().refuse(Status.OVERLOADED, 1, "n2");
        assertThat(node.sent).isEmpty();
        assertThat(node.takeLater().peer).isEqualTo("n2");
    }

    @Test
    void retriesBackOff() {
        leaderIs(1, "n2");
        Told<QueryResult> told = node.read("k", 0);
        int attempts = 0;
        while (told.times() == 0) {
            while (!node.sent.isEmpty()) {
                attempts++;
                node.take().refuse(Status.OVERLOADED, 1, "n2");
            }
            node.manual.advance(Duration.ofMillis(5));
        }
        assertThat(attempts).isBetween(45, 120);
    }

    @Test
    void aReadIsNeverUnknown() {
        leaderIs(1, "n2");
        Told<QueryResult> told = node.read("k", 0);
        node.take().fail(RpcFailure.NO_ANSWER);
        node.manual.advance(ClientFixture.TIMEOUT.plusMillis(50));
        assertThat(told.failure()).isInstanceOf(UnavailableException.class);
        node.assertAllReleased();
    }

    @Test
    void anAnswerThatCannotBeReadIsNone() {
        leaderIs(1, "n2");
        node.withSession(7);
        Told<CommandResult> write = node.write("a");
        node.take().respond(new byte[] {9, 9, 9});
        Told<QueryResult> read = node.read("k", 0);
        node.manual.advance(Duration.ofMillis(100));
        List<Sent> again = new ArrayList<>(node.sent);
        node.sent.clear();
        assertThat(again).hasSize(2);
        // Well-formed outside, nonsense inside.
        again.forEach(sent -> sent.respond(RouterProtocol.response(Status.OK, 0, null, new byte[] {1, 99, 99})));
        node.manual.advance(Duration.ofMillis(100));
        assertThat(node.sent).as("asked again, soon").hasSize(2);
        node.manual.advance(Duration.ofSeconds(6));
        assertThat(write.failure()).isInstanceOf(OutcomeUnknownException.class);
        assertThat(read.failure()).isInstanceOf(UnavailableException.class);
        node.assertAllReleased();
    }

    @Test
    void closingEndsEverythingOnceAndTellsApartWhatMayHaveTakenEffect() {
        leaderIs(1, "n2");
        node.withSession(7);
        Told<CommandResult> underWay = node.write("a");
        Sent a = node.take();
        Told<CommandResult> refused = node.write("b");
        node.take().refuse(Status.OVERLOADED, 1, "n2");
        Told<QueryResult> read = node.read("k", 0);
        Sent k = node.take();
        node.manual.run(() -> node.client.close("the node is closed"));
        assertThat(underWay.failure()).isInstanceOf(OutcomeUnknownException.class);
        assertThat(refused.failure())
                .isInstanceOf(UnavailableException.class)
                .hasMessageContaining("the node is closed");
        assertThat(read.failure()).isInstanceOf(UnavailableException.class);
        a.result(ONE);
        k.result(NOTHING);
        node.manual.advance(Duration.ofSeconds(10));
        assertThat(node.sent).isEmpty();
        Told<CommandResult> late = node.write("c");
        assertThat(late.failure()).isInstanceOf(UnavailableException.class);
        assertThat(node.read("k", 0).failure()).isInstanceOf(UnavailableException.class);
        assertThat(List.of(underWay.times(), refused.times(), read.times())).containsOnly(1);
        node.assertAllReleased();
    }

    @Test
    void closingWhileASessionIsBeingOpenedEndsTheWritesThatWaitAsNotApplied() {
        leaderIs(1, "n2");
        Told<CommandResult> told = node.write("a");
        Sent open = node.take();
        node.manual.run(() -> node.client.close("the node is closed"));
        assertThat(told.failure()).isInstanceOf(UnavailableException.class);
        open.result(new CommandResult.SessionOpened(7));
        assertThat(node.sent).isEmpty();
        node.assertAllReleased();
    }

    // ---- keys that die while they are read

    @Test
    void aReadThatMeetsADyingKeyHasItsDeathRecordedFirst() {
        leaderIs(1, "n2");
        Told<QueryResult> told = node.read("k", 0);
        node.take().result(new QueryResult.NeedsTime(1234));
        Sent advance = node.take();
        assertThat(advance.envelope().command()).isEqualTo(new Command.AdvanceTime(1234));
        assertThat(told.times()).isZero();
        advance.result(new CommandResult.Done());
        node.take().result(NOTHING);
        assertThat(told.result()).isEqualTo(NOTHING);
        node.assertAllReleased();
    }

    @Test
    void aDeathThatCannotBeRecordedFailsTheRead() {
        leaderIs(1, "n2");
        Told<QueryResult> told = node.read("k", 0);
        node.take().result(new QueryResult.NeedsTime(1234));
        node.manual.advance(ClientFixture.TIMEOUT.plusMillis(50));
        assertThat(told.failure()).isInstanceOf(UnavailableException.class);
        Told<QueryResult> closing = node.read("k", 0);
        node.sent.removeIf(sent -> sent.method == RouterProtocol.METHOD_WRITE);
        node.take().result(new QueryResult.NeedsTime(1235));
        node.manual.run(() -> node.client.close("the node is closed"));
        assertThat(closing.failure()).isInstanceOf(UnavailableException.class);
        node.assertAllReleased();
    }

    // ---- relieved keys

    @Test
    void theReplicasShareTheLinearizableReadsOfARelievedKey() {
        leaderIs(1, "n2");
        node.route.relieved(Set.of(Bytes.utf8("hot")));
        List<String> asked = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            node.read("hot", 0);
            Sent sent = node.take();
            asked.add(sent.peer);
            sent.result(NOTHING);
        }
        assertThat(asked).containsExactly("n1", "n2", "n3", "n1", "n2", "n3");
        node.read("cold", 0);
        assertThat(node.take().peer).isEqualTo("n2");
        node.read("hot", Long.MAX_VALUE);
        assertThat(node.take().peer).as("as for other keys").isEqualTo("n2");
    }

    @Test
    void aReadThatAReplicaDidNotAnswerGoesToTheLeader() {
        leaderIs(1, "n2");
        node.route.relieved(Set.of(Bytes.utf8("hot")));
        Told<QueryResult> told = node.read("hot", 0);
        Sent first = node.take();
        assertThat(first.peer).isEqualTo("n1");
        first.refuse(Status.NOT_LEADER, 1, "n2");
        Sent second = node.takeLater();
        assertThat(second.peer).isEqualTo("n2");
        second.result(NOTHING);
        assertThat(told.result()).isEqualTo(NOTHING);
    }

    // ---- how soon

    @Test
    void theFirstRetryComesWithinTwoMilliseconds() {
        leaderIs(1, "n2");
        node.read("k", 0);
        node.take().refuse(Status.NOT_LEADER, 1, null);
        node.manual.advance(Duration.ofMillis(2));
        assertThat(node.sent).hasSize(1);
    }

    @Test
    void whoIsOverloadedIsNotAskedAgainSoSoon() {
        leaderIs(1, "n2");
        node.read("k", 0);
        node.take().refuse(Status.OVERLOADED, 1, "n2");
        node.manual.advance(Duration.ofMillis(4));
        assertThat(node.sent).isEmpty();
        node.manual.advance(Duration.ofMillis(10));
        assertThat(node.sent).hasSize(1);
    }
}
