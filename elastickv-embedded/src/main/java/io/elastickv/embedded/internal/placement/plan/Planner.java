package io.elastickv.embedded.internal.placement.plan;

/**
 * Decides what is to be done to the placement: a pure function of the catalog, the loads and the time. See the package for
 * the rules. It keeps nothing between calls, so any node can go on where another one stopped, and thousands of nodes can be
 * simulated in virtual time. May be called by several threads.
 */
public final class Planner {

    private Planner() {}

    /**
     * One round of decisions. The caller starts the operations, records them in the catalog as running, and asks again, about
     * once a second: a shard with an operation is left alone until that has ended.
     *
     * @param nowMillis the time on the same clock as the catalog's and the loads' stamps
     * @throws IllegalArgumentException if the catalog contradicts itself
     */
    public static Plan plan(CatalogView catalog, Loads loads, long nowMillis) {
        Round round = new Round(catalog, loads, nowMillis);
        Targets targets = new Targets(round);
        new ReplicationRule(round, targets).apply();
        new ZoneRule(round, targets).apply();
        new DrainRule(round, targets).apply();
        HotKeyRule hotKeys = new HotKeyRule(round);
        hotKeys.apply();
        new MergeRule(round, targets).apply();
        new LeaderBalance(round).apply();
        new SplitRule(round, hotKeys).apply();
        ReplicaBalance.apply(round, targets);
        return round.toPlan();
    }
}
