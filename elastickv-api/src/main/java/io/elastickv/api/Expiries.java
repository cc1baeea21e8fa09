package io.elastickv.api;

/** The expiries without a parameter, shared. */
final class Expiries {

    static final Expiry NEVER = new Expiry.Never();
    static final Expiry KEEP = new Expiry.Keep();

    private Expiries() {}
}
