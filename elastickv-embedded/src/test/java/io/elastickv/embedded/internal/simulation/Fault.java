package io.elastickv.embedded.internal.simulation;

import static io.elastickv.embedded.internal.simulation.VirtualTime.MILLI;

import java.util.SplittableRandom;

/**
 * One thing that goes wrong.
 *
 * @param number of the fault in its scenario, to leave it out by
 * @param atNanos when
 * @param node whom it hits, if it is about one
 * @param hitsLeader whether it hits whoever leads the first group instead, if anybody does
 * @param other somebody else
 * @param lastsNanos until it is over
 * @param seed for whatever else it decides
 */
record Fault(int number, Kind kind, long atNanos, int node, boolean hitsLeader, int other, long lastsNanos, long seed) {

    enum Kind {
        /** The process dies and comes back; the page cache survives. */
        KILL,
        /** The machine loses its power. */
        POWER_CUT,
        /** All machines do. */
        POWER_CUT_OF_ALL,
        /** The process dies, or the machine, in the middle of what the log writes. */
        CRASH_WHILE_WRITING,
        /** Stands still, as in a long collection or under SIGSTOP. */
        PAUSE,
        CUT_OFF,
        CUT_LEADER_OFF,
        CUT_ONE_WAY,
        HALVES,
        LOSSY,
        LAGGARD_NETWORK,
        SLOW_DISK,
        CLOCK_JUMP,
        TRANSFER,
        HAND_OVER,
        CAMPAIGN,
        /** The failure detector is wrong about somebody. */
        FALSE_SUSPICION,
        /** A write or a sync fails. */
        WRITE_ERROR,
        READ_ERROR,
        FULL_DISK,
        /** A bit of what was written long ago changes. */
        BIT_FLIP,
        /** Applying an entry fails, as it does without memory. */
        APPLY_FAILS,
        /** The node loses its disk and begins anew with an empty one. */
        WIPE,
        /** A replica of some group shall be elsewhere. */
        MOVE
    }

    static Fault draw(int number, Kind kind, long atNanos, int nodes, long scaleNanos, SplittableRandom random) {
        int node = random.nextInt(nodes);
        int other = random.nextInt(nodes);
        long lasts = MILLI
                + switch (random.nextInt(4)) {
                    case 0 -> random.nextLong(scaleNanos / 4);
                    case 1, 2 -> random.nextLong(2 * scaleNanos);
                    default -> random.nextLong(6 * scaleNanos);
                };
        return new Fault(number, kind, atNanos, node, random.nextBoolean(), other, lasts, random.nextLong());
    }

    @Override
    public String toString() {
        return String.format(
                "#%d %,d ms %s n%d%s (n%d) for %,d ms",
                number, atNanos / MILLI, kind, node + 1, hitsLeader ? " or leader" : "", other + 1, lastsNanos / MILLI);
    }
}
