package io.elastickv.embedded.internal.raft.core;

import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** A rule that a simulated cluster breaks on purpose, to show that the simulator notices. By default none. */
class SimMutation {

    static final SimMutation NONE = new SimMutation();

    private final SimCluster.@Nullable Profile profile;
    private final Rules rules;

    SimMutation() {
        this(null, Rules.RAFT);
    }

    /** With all seeds of one profile, for what only shows there. */
    SimMutation(SimCluster.@Nullable Profile profile) {
        this(profile, Rules.RAFT);
    }

    SimMutation(SimCluster.@Nullable Profile profile, Rules rules) {
        this.profile = profile;
        this.rules = rules;
    }

    SimCluster.@Nullable Profile profile() {
        return profile;
    }

    /** The rules of the cores. */
    final Rules rules() {
        return rules;
    }

    /** What the network makes of a message; {@code cluster} may send more. */
    RaftMessage sent(SimCluster cluster, SimNode from, String to, RaftMessage message) {
        return message;
    }

    /** Whether the disk reports appends as durable before they are. */
    boolean durableTooEarly() {
        return false;
    }

    /** What is left of a vote after a restart. */
    HardState restoredHardState(HardState durable) {
        return durable;
    }

    /** What is left of the log after a restart. */
    SimLog restoredLog(SimLog durable, RandomGenerator random) {
        return durable;
    }

    /** What is left of the configurations in the log after a restart. */
    List<LogEntry> restoredConfigurations(List<LogEntry> durable) {
        return durable;
    }

    /** Whether messages that must wait for durability do. */
    boolean waitsForDurability() {
        return true;
    }

    /** Who a replica is after it has lost everything. */
    String nameAfterWipe(String before, String fresh) {
        return fresh;
    }
}
