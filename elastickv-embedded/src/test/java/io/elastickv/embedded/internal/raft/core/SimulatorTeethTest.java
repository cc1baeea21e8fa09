package io.elastickv.embedded.internal.raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.VoteResponse;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The simulator notices when a rule is broken: each of the stock protocol's mistakes is found within some seeds. */
@Tag("simulation")
@Tag("slow")
class SimulatorTeethTest {

    private static final int SEEDS = Integer.getInteger("sim.teeth", 4_000);

    enum Broken {
        /** Row A. */
        OLD_TERMS_COMMITTED_BY_COUNTING(new SimMutation(SimCluster.Profile.LEADERS_DIE_YOUNG, new Rules() {
            @Override
            boolean commitsByCounting(long entryTerm, long currentTerm) {
                return true;
            }
        })),
        /** Row B1. */
        READS_WITHOUT_A_ROUND(new SimMutation(SimCluster.Profile.ECHOES, new Rules() {
            @Override
            int readQuorum(int quorum) {
                return 1;
            }
        })),
        /** Row B2. */
        ROUNDS_CONFIRMED_BY_EARLIER_ACKS(new SimMutation(SimCluster.Profile.ECHOES, new Rules() {
            @Override
            long answeredRound(long roundInAnswer, long currentRound) {
                return currentRound;
            }
        })),
        /** Row B3. */
        ACKS_COUNTED_TWICE(new SimMutation() {
            @Override
            RaftMessage sent(SimCluster cluster, SimNode from, String to, RaftMessage message) {
                if (message instanceof AppendResponse m && m.matched()) {
                    for (SimNode other : cluster.nodes) {
                        if (other != from && !other.name.equals(to)) {
                            cluster.transmit(other.name, to, m);
                            break;
                        }
                    }
                }
                return message;
            }
        }),
        /** Row B4. */
        READS_BEFORE_THE_NOOP(new SimMutation(null, new Rules() {
            @Override
            boolean servesReads(long commitIndex, long termStartIndex) {
                return true;
            }
        })),
        /** Row C. */
        VOTES_FORGOTTEN_IN_A_CRASH(new SimMutation(SimCluster.Profile.CONTESTED_ELECTIONS) {
            @Override
            HardState restoredHardState(HardState durable) {
                return new HardState(durable.term(), null);
            }
        }),
        /** Row C. */
        VOTES_SENT_BEFORE_THEY_ARE_DURABLE(new SimMutation(SimCluster.Profile.CONTESTED_ELECTIONS) {
            @Override
            boolean waitsForDurability() {
                return false;
            }
        }),
        /** Row D1. */
        APPENDS_ACKNOWLEDGED_BEFORE_THEY_ARE_DURABLE(new SimMutation() {
            @Override
            boolean durableTooEarly() {
                return true;
            }
        }),
        /** A disk that lies about fsync. */
        LOG_TAIL_LOST(new SimMutation() {
            @Override
            SimLog restoredLog(SimLog durable, RandomGenerator random) {
                durable.truncateTo(Math.max(durable.baseIndex(), durable.lastIndex() - random.nextInt(3)));
                return durable;
            }
        }),
        /** Row E1. */
        ACKS_NAME_THE_LAST_INDEX(new SimMutation() {
            @Override
            RaftMessage sent(SimCluster cluster, SimNode from, String to, RaftMessage message) {
                return message instanceof AppendResponse m && m.matched()
                        ? new AppendResponse(
                                m.term(), m.round(), true, from.core().lastIndex(), m.verifiedIndex(), 0, 0, 0)
                        : message;
            }
        }),
        /** Row F. */
        FOLLOWERS_COMMIT_WHAT_IS_NOT_VERIFIED(new SimMutation(null, new Rules() {
            @Override
            long committable(long leaderCommitIndex, long verifiedIndex, long lastIndex) {
                return Math.min(leaderCommitIndex, lastIndex);
            }
        })),
        /** Rows G1 and G2. */
        VOTES_COUNTED_TWICE(new SimMutation() {
            @Override
            RaftMessage sent(SimCluster cluster, SimNode from, String to, RaftMessage message) {
                if (message instanceof VoteResponse m && m.granted()) {
                    for (SimNode other : cluster.nodes) {
                        if (other != from && !other.name.equals(to)) {
                            cluster.transmit(other.name, to, m);
                            break;
                        }
                    }
                }
                return message;
            }
        }),
        /** Row H1. */
        OLD_SNAPSHOTS_ROLL_BACK(new SimMutation(SimCluster.Profile.SNAPSHOTS, new Rules() {
            @Override
            boolean acceptsSnapshot(long index, long appliedIndex) {
                return true;
            }
        })),
        /** Ongaro, figure 5.3. */
        SUFFIX_KEPT_AFTER_A_SNAPSHOT_THAT_DOES_NOT_MATCH(new SimMutation(SimCluster.Profile.SNAPSHOTS, new Rules() {
            @Override
            boolean keepsSuffix(boolean entryMatches) {
                return true;
            }
        })),
        /** Row I1. */
        CONFIGURATIONS_IN_EFFECT_WHEN_COMMITTED(new SimMutation(SimCluster.Profile.MEMBERSHIP, new Rules() {
            @Override
            Configuration inEffect(Configurations configurations, long commitIndex) {
                return configurations.at(commitIndex);
            }
        })),
        /** Row I1. */
        TWO_CHANGES_AT_ONCE(new SimMutation(SimCluster.Profile.MEMBERSHIP, new Rules() {
            @Override
            boolean mayChange(long configurationIndex, long commitIndex) {
                return true;
            }
        })),
        /** Row I1, and the errata of Ongaro, 4.1. */
        CHANGES_BEFORE_AN_ENTRY_OF_THE_OWN_TERM(new SimMutation(SimCluster.Profile.MEMBERSHIP, new Rules() {
            @Override
            boolean mayChangeInTerm(long commitIndex, long termStartIndex) {
                return true;
            }
        })),
        /** Row I2. */
        CONFIGURATIONS_FORGOTTEN_IN_A_CRASH(new SimMutation(SimCluster.Profile.MEMBERSHIP) {
            @Override
            List<LogEntry> restoredConfigurations(List<LogEntry> durable) {
                return List.of();
            }
        }),
        /** Ongaro, 4.2.1. */
        LEARNERS_COUNTED(new SimMutation(SimCluster.Profile.MEMBERSHIP, new Rules() {
            @Override
            boolean learnersCount() {
                return true;
            }
        })),
        /** A node without its disk votes as if it remembered. */
        WIPED_NODES_COME_BACK_UNDER_THEIR_NAME(new SimMutation(SimCluster.Profile.SNAPSHOTS) {
            @Override
            String nameAfterWipe(String before, String fresh) {
                return before;
            }
        }),
        /** A node that has lost the end of its log votes as if it had not. */
        VOTES_WITHOUT_MEMORY(new SimMutation(SimCluster.Profile.SNAPSHOTS, new Rules() {
            @Override
            boolean votesWithoutMemory() {
                return true;
            }
        }));

        @SuppressWarnings("ImmutableEnumChecker") // mutations hold no state
        final SimMutation mutation;

        Broken(SimMutation mutation) {
            this.mutation = mutation;
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBrokenRuleIsFound(Broken rule) {
        String found = null;
        int seed = 0;
        while (found == null && seed < SEEDS) {
            seed++;
            try {
                new SimCluster(seed, rule.mutation).run();
            } catch (IllegalStateException | SimOracle.Violation e) {
                // What is merely stuck does not count: the broken promise itself must show.
                String message = String.valueOf(e.getMessage());
                found = message.startsWith("liveness") ? null : message;
            }
        }
        assertThat(found).as("%s in %d seeds", rule, SEEDS).isNotNull();
        System.out.printf("%s: found by seed %d: %s%n", rule, seed, found);
    }
}
