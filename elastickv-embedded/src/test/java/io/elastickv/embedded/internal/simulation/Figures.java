package io.elastickv.embedded.internal.simulation;

import static io.elastickv.embedded.internal.simulation.VirtualTime.SECOND;

/** What all seeds of a run came to. Thread-safe. */
final class Figures {

    private long seeds;
    private double simulatedSeconds;
    private long events;
    private long messages;
    private long writesOk;
    private long writesUnknown;
    private long writesNotApplied;
    private long reads;
    private long elections;
    private long stops;
    private long refusals;
    private long crashesWhileWriting;
    private long sessionsLost;
    private long undecided;
    private long checkpoints;
    private long installed;
    private long compacted;
    private long changes;
    private long wipes;
    private final long beganNanos = System.nanoTime();

    synchronized void add(Simulation simulation) {
        seeds++;
        simulatedSeconds += simulation.time.now() / (double) SECOND;
        events += simulation.time.eventsRun();
        messages += simulation.network.messages;
        writesOk += simulation.writesOk;
        writesUnknown += simulation.writesUnknown;
        writesNotApplied += simulation.writesNotApplied;
        reads += simulation.readsSeen;
        elections += simulation.oracle.elections;
        stops += simulation.failures;
        refusals += simulation.refusals;
        crashesWhileWriting += simulation.crashesWhileWriting;
        sessionsLost += simulation.sessionsLost;
        checkpoints += simulation.checkpoints;
        installed += simulation.installed;
        compacted += simulation.compactions;
        changes += simulation.operator.changes;
        wipes += simulation.wipes;
        undecided += simulation.histories.undecided;
    }

    synchronized long seeds() {
        return seeds;
    }

    synchronized long operations() {
        return writesOk + writesUnknown + writesNotApplied + reads;
    }

    synchronized long undecided() {
        return undecided;
    }

    synchronized long elections() {
        return elections;
    }

    @Override
    public synchronized String toString() {
        double wall = (System.nanoTime() - beganNanos) / (double) SECOND;
        return String.format(
                "%,d seeds in %.1f s: %.1f seeds/s, %,.0f simulated seconds per second; %,d operations (%,d writes"
                        + " acknowledged, %,d unknown, %,d not applied, %,d reads), %,d events, %,d messages, %,d"
                        + " elections, %,d replicas stopped by a fault, %,d starts refused, %,d crashes within a write,"
                        + " %,d checkpoints, %,d states installed, %,d logs compacted, %,d changes of members, %,d disks lost,"
                        + " %,d sessions lost, %,d histories undecided; 0 violations",
                seeds,
                wall,
                seeds / wall,
                simulatedSeconds / wall,
                operations(),
                writesOk,
                writesUnknown,
                writesNotApplied,
                reads,
                events,
                messages,
                elections,
                stops,
                refusals,
                crashesWhileWriting,
                checkpoints,
                installed,
                compacted,
                changes,
                wipes,
                sessionsLost,
                undecided);
    }
}
