package io.elastickv.embedded.internal.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.internal.node.ChangePlanner.Answer;
import io.elastickv.embedded.internal.node.ChangePlanner.Change;
import io.elastickv.embedded.internal.node.ChangePlanner.Make;
import io.elastickv.embedded.internal.node.ChangePlanner.Rest;
import io.elastickv.embedded.internal.node.ChangePlanner.Sight;
import io.elastickv.embedded.internal.node.ChangePlanner.Step;
import io.elastickv.embedded.internal.placement.ReplicaKey;
import io.elastickv.embedded.internal.raft.MemberId;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.MemberChange.AddLearner;
import io.elastickv.embedded.internal.raft.core.MemberChange.Promote;
import io.elastickv.embedded.internal.raft.core.MemberChange.Remove;
import io.elastickv.embedded.internal.raft.core.PeerProgress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ChangePlannerTest {

    private final Map<String, String> directories = new HashMap<>(Map.of("n1", "a", "n2", "b", "n3", "c", "n4", "d"));
    private final Set<String> reachable = new HashSet<>(directories.keySet());
    private final Set<String> caughtUp = new HashSet<>();
    private final Set<String> silent = new HashSet<>();
    private final Set<String> forgetful = new HashSet<>();
    private boolean committed = true;

    private static Configuration formed() {
        return new Configuration(0, List.of("n1@a", "n2@b", "n3@c"), List.of());
    }

    private Sight sight(Configuration configuration) {
        Map<String, PeerProgress> progress = new HashMap<>();
        Set<String> heard = new HashSet<>(configuration.members());
        heard.removeAll(silent);
        for (String member : configuration.members()) {
            progress.put(
                    member,
                    new PeerProgress(
                            member,
                            configuration.isVoter(member),
                            !forgetful.contains(member),
                            caughtUp.contains(member),
                            PeerProgress.State.REPLICATE,
                            17,
                            18,
                            0,
                            true,
                            0,
                            0));
        }
        return new Sight(configuration, committed, directories, reachable, progress, heard);
    }

    private Step repair(Configuration configuration) {
        return ChangePlanner.repair(sight(configuration));
    }

    private void lose(String node, String directory) {
        directories.put(node, directory);
    }

    @Test
    void nothingIsDoneWhereNothingIsMissing() {
        assertThat(repair(formed())).isEqualTo(new Rest());
        assertThat(ChangePlanner.needsRepair(formed(), directories)).isFalse();
        lose("n4", "dd");
        assertThat(ChangePlanner.needsRepair(formed(), directories))
                .as("no member")
                .isFalse();
    }

    @Test
    void aLostMemberIsReplacedStepByStep() {
        lose("n3", "cc");
        Configuration configuration = formed();
        assertThat(ChangePlanner.needsRepair(configuration, directories)).isTrue();
        assertThat(repair(configuration)).isEqualTo(new Make("n3", new ReplicaKey("cc", 1)));
        configuration = configuration.withLearner("n3@cc.1");
        assertThat(repair(configuration)).as("it catches up").isEqualTo(new Rest());
        caughtUp.add("n3@cc.1");
        assertThat(repair(configuration)).isEqualTo(new Change(new Remove("n3@c")));
        configuration = configuration.without("n3@c");
        assertThat(repair(configuration)).isEqualTo(new Change(new Promote("n3@cc.1")));
        configuration = configuration.promoted("n3@cc.1");
        assertThat(repair(configuration)).isEqualTo(new Rest());
        assertThat(ChangePlanner.needsRepair(configuration, directories)).isFalse();
    }

    @Test
    void aMemberThatIsLostAgainInBetweenIsReplacedAnew() {
        lose("n3", "cc");
        Configuration configuration = formed().withLearner("n3@cc.1");
        lose("n3", "ccc");
        assertThat(repair(configuration)).isEqualTo(new Change(new Remove("n3@cc.1")));
        configuration = configuration.without("n3@cc.1");
        assertThat(repair(configuration)).isEqualTo(new Make("n3", new ReplicaKey("ccc", 3)));
    }

    @Test
    void aLearnerThatIsLostIsNotForgottenBeforeThereIsAnother() {
        lose("n3", "cc");
        Configuration configuration = formed().without("n3@c").withLearner("n3@cc.2");
        lose("n3", "ccc");
        assertThat(repair(configuration)).isEqualTo(new Make("n3", new ReplicaKey("ccc", 3)));
        configuration = configuration.withLearner("n3@ccc.3");
        assertThat(repair(configuration)).isEqualTo(new Change(new Remove("n3@cc.2")));
    }

    @Test
    void whereTheNewOneVotesAlreadyTheLostOneGoes() {
        lose("n3", "cc");
        assertThat(repair(new Configuration(5, List.of("n1@a", "n2@b", "n3@c", "n3@cc.3"), List.of())))
                .isEqualTo(new Change(new Remove("n3@c")));
    }

    @Test
    void nobodyWaitsForANodeThatIsNotThere() {
        lose("n3", "cc");
        reachable.remove("n3");
        assertThat(repair(formed())).isEqualTo(new Rest());
        lose("n2", "bb");
        assertThat(repair(formed())).isEqualTo(new Make("n2", new ReplicaKey("bb", 1)));
    }

    @Test
    void oneChangeIsMadeAtATime() {
        lose("n3", "cc");
        committed = false;
        assertThat(repair(formed())).isEqualTo(new Rest());
        assertThat(ChangePlanner.add(sight(formed()), "n4")).isInstanceOf(Answer.class);
        assertThat(ChangePlanner.remove(sight(formed()), "n3")).isInstanceOf(Answer.class);
    }

    @Test
    void aReplicaIsAdded() {
        assertThat(ChangePlanner.add(sight(formed()), "n4")).isEqualTo(new Make("n4", new ReplicaKey("d", 1)));
        Configuration learning = formed().withLearner("n4@d.1");
        assertThat(ChangePlanner.add(sight(learning), "n4"))
                .isEqualTo(new Answer(
                        false, false, "the replica on node n4 is catching up, it has the log up to entry 17"));
        assertThat(ChangePlanner.add(sight(learning.promoted("n4@d.1")), "n4"))
                .isEqualTo(new Answer(true, false, "there is a replica on node n4"));
        assertThat(ChangePlanner.add(sight(formed()), "n9"))
                .isEqualTo(new Answer(false, true, "there is no node n9 that stores data"));
        reachable.remove("n4");
        assertThat(ChangePlanner.add(sight(formed()), "n4"))
                .isEqualTo(new Answer(false, false, "node n4 cannot be reached"));
        assertThat(ChangePlanner.add(sight(formed()), "n1"))
                .isEqualTo(new Answer(true, false, "there is a replica on node n1"));
        lose("n1", "aa");
        assertThat(ChangePlanner.add(sight(formed()), "n1"))
                .as("one of which the data is lost is none")
                .isEqualTo(new Make("n1", new ReplicaKey("aa", 1)));
    }

    @Test
    void aReplicaIsRemoved() {
        assertThat(ChangePlanner.remove(sight(formed()), "n3")).isEqualTo(new Change(new Remove("n3@c")));
        assertThat(ChangePlanner.remove(sight(formed()), "n4"))
                .isEqualTo(new Answer(true, false, "there is no replica on node n4"));
        assertThat(ChangePlanner.remove(sight(formed().withLearner("n4@d.1")), "n4"))
                .isEqualTo(new Change(new Remove("n4@d.1")));
        assertThat(ChangePlanner.remove(sight(Configuration.of(List.of("n1@a")).withLearner("n4@d.1")), "n1"))
                .isEqualTo(new Answer(false, true, "the replica on node n1 is the last one"));
        lose("n3", "cc");
        Configuration both = formed().withLearner("n3@cc.1");
        assertThat(ChangePlanner.remove(sight(both), "n3"))
                .as("the one that repair would put something in the place of")
                .isEqualTo(new Change(new Remove("n3@c")));
        assertThat(ChangePlanner.remove(sight(both.without("n3@c")), "n3"))
                .isEqualTo(new Change(new Remove("n3@cc.1")));
    }

    @Test
    void noRemovalLeavesTheRestWithoutAMajority() {
        silent.add("n3@c");
        assertThat(ChangePlanner.remove(sight(formed()), "n2"))
                .isEqualTo(new Answer(
                        false, false, "without node n2 only 1 of 2 replicas could vote now, which is no majority"));
        assertThat(ChangePlanner.remove(sight(formed()), "n3")).isEqualTo(new Change(new Remove("n3@c")));
    }

    @Test
    void aMemberThatHasToRecoverItsLogIsNoneToCountOn() {
        forgetful.add("n3@c");
        assertThat(ChangePlanner.remove(sight(formed()), "n2"))
                .isEqualTo(new Answer(
                        false, false, "without node n2 only 1 of 2 replicas could vote now, which is no majority"));
        assertThat(ChangePlanner.remove(sight(formed()), "n3")).isEqualTo(new Change(new Remove("n3@c")));
    }

    /** Whatever happens in between: once nothing is lost any more, repair ends with as many voters as there were. */
    @Test
    void repairComesToAnEndFromWhereverItIs() {
        for (long seed = 0; seed < 2_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            directories.putAll(Map.of("n1", "a", "n2", "b", "n3", "c", "n4", "d"));
            Configuration configuration = formed();
            int losses = 0;
            int steps = 0;
            while (true) {
                if (losses < 5 && random.nextInt(4) == 0) {
                    String node = "n" + (2 + random.nextInt(2));
                    lose(node, node.equals("n2") ? "b" + ++losses : "c" + ++losses);
                }
                caughtUp.clear();
                for (String learner : configuration.learners()) {
                    if (losses >= 5 || random.nextBoolean()) {
                        caughtUp.add(learner);
                    }
                }
                Step step = repair(configuration);
                if (step instanceof Rest && losses >= 5) {
                    break;
                }
                configuration = apply(configuration, step);
                assertThat(configuration.voters()).as("seed %d", seed).hasSizeBetween(1, 3);
                assertThat(++steps).as("seed %d", seed).isLessThan(200);
            }
            assertThat(new TreeSet<>(
                            configuration.members().stream().map(MemberId::node).collect(Collectors.toList())))
                    .as("seed %d", seed)
                    .containsExactly("n1", "n2", "n3");
            assertThat(configuration.learners()).isEmpty();
            assertThat(configuration.voters())
                    .hasSize(3)
                    .allMatch(voter -> ShardMembers.isIn(voter, directories.get(MemberId.node(voter))));
        }
    }

    private static Configuration apply(Configuration configuration, Step step) {
        if (step instanceof Make make) {
            return configuration.withLearner(MemberId.of(make.node(), make.key().text()));
        }
        if (!(step instanceof Change change)) {
            return configuration;
        }
        if (change.change() instanceof Promote promote) {
            return configuration.promoted(promote.member());
        }
        assertThat(change.change()).isNotInstanceOf(AddLearner.class);
        return configuration.without(change.change().member());
    }
}
