package io.elastickv.api;

import java.time.Duration;
import java.util.Objects;

/**
 * How a value is written: unconditionally, without expiry and without returning the previous value, unless said
 * otherwise. Immutable; each method returns a changed copy.
 */
public final class PutOptions {

    private static final PutOptions DEFAULTS = new PutOptions(Condition.always(), Expiry.never(), false);

    private final Condition condition;
    private final Expiry expiry;
    private final boolean returnPrevious;

    private PutOptions(Condition condition, Expiry expiry, boolean returnPrevious) {
        this.condition = condition;
        this.expiry = expiry;
        this.returnPrevious = returnPrevious;
    }

    /** Unconditional, no expiry, previous value not returned. */
    public static PutOptions defaults() {
        return DEFAULTS;
    }

    /** Writes only if {@code condition} holds. */
    public PutOptions when(Condition condition) {
        return new PutOptions(Objects.requireNonNull(condition, "condition"), expiry, returnPrevious);
    }

    /** Sets the expiry. */
    public PutOptions expiry(Expiry expiry) {
        return new PutOptions(condition, Objects.requireNonNull(expiry, "expiry"), returnPrevious);
    }

    /** Short for {@code expiry(Expiry.after(duration))}. */
    public PutOptions expireAfter(Duration duration) {
        return expiry(Expiry.after(duration));
    }

    /** Returns the value that the key had, whether or not the write took effect. */
    public PutOptions returnPrevious() {
        return new PutOptions(condition, expiry, true);
    }

    /** The condition. */
    public Condition condition() {
        return condition;
    }

    /** What happens to the expiry. */
    public Expiry expiry() {
        return expiry;
    }

    /** Whether the previous value is returned. */
    public boolean returnsPrevious() {
        return returnPrevious;
    }
}
