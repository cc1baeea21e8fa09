package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.PlanSettings;

/**
 * What the driver goes by. Times are in milliseconds.
 *
 * @param planning what the planner goes by; what {@link CatalogSettings} say replaces what it says
 * @param planMillis how often is planned
 * @param stallMillis how long an operation may be without progress before it is given up
 * @param transferMillis the same for handing a leadership over, which takes a second or never happens
 * @param settleMillis how long after an unanswered call its effect may still come: nothing is taken for undone before
 * @param strayMillis how often groups are looked for that the catalog does not know
 * @param passes how many steps an operation takes in a round at most
 */
public record DriverSettings(
        PlanSettings planning,
        long planMillis,
        long stallMillis,
        long transferMillis,
        long settleMillis,
        long strayMillis,
        int passes) {

    /** What is used unless something else is said. */
    public static final DriverSettings DEFAULT =
            new DriverSettings(PlanSettings.DEFAULT, 1_000, 30_000, 10_000, 5_000, 10_000, 4);

    /** With another base for the planner. */
    public DriverSettings with(PlanSettings other) {
        return new DriverSettings(other, planMillis, stallMillis, transferMillis, settleMillis, strayMillis, passes);
    }
}
