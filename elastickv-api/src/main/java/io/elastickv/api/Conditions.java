package io.elastickv.api;

/** The conditions without a parameter, shared. */
final class Conditions {

    static final Condition ALWAYS = new Condition.Always();
    static final Condition ABSENT = new Condition.Absent();
    static final Condition PRESENT = new Condition.Present();

    private Conditions() {}
}
