package io.elastickv.api;

import java.time.Duration;
import java.util.Objects;

/** How fresh a read must be. The default of every read is {@link #linearizable()}. Immutable. */
public final class ReadConsistency {

    /** The kinds of consistency. */
    public enum Kind {
        /** See {@link ReadConsistency#linearizable()}. */
        LINEARIZABLE,
        /** See {@link ReadConsistency#boundedStale(Duration)}. */
        BOUNDED_STALE,
        /** See {@link ReadConsistency#local()}. */
        LOCAL
    }

    private static final ReadConsistency LINEARIZABLE = new ReadConsistency(Kind.LINEARIZABLE, Duration.ZERO);
    private static final ReadConsistency LOCAL = new ReadConsistency(Kind.LOCAL, Duration.ZERO);

    private final Kind kind;
    private final Duration maxStaleness;

    private ReadConsistency(Kind kind, Duration maxStaleness) {
        this.kind = kind;
        this.maxStaleness = maxStaleness;
    }

    /** Sees every write that was acknowledged before the read began, whichever node is asked. */
    public static ReadConsistency linearizable() {
        return LINEARIZABLE;
    }

    /**
     * May miss writes acknowledged within the last {@code maxStaleness}; answered by the local replica when it was
     * confirmed to be that fresh by a round with its leader, and otherwise as a linearizable read.
     *
     * @throws IllegalArgumentException if {@code maxStaleness} is negative
     */
    public static ReadConsistency boundedStale(Duration maxStaleness) {
        Objects.requireNonNull(maxStaleness, "maxStaleness");
        if (maxStaleness.isNegative()) {
            throw new IllegalArgumentException("maxStaleness = " + maxStaleness + ": must not be negative");
        }
        return new ReadConsistency(Kind.BOUNDED_STALE, maxStaleness);
    }

    /**
     * Whatever the local replica has, however old; never waits for another node. A node without a replica of the key's
     * shard forwards the read to some replica.
     */
    public static ReadConsistency local() {
        return LOCAL;
    }

    /** The kind. */
    public Kind kind() {
        return kind;
    }

    /** The bound of {@link Kind#BOUNDED_STALE}; zero for the other kinds. */
    public Duration maxStaleness() {
        return maxStaleness;
    }

    @Override
    public String toString() {
        return kind == Kind.BOUNDED_STALE ? kind + "(" + maxStaleness + ")" : kind.toString();
    }
}
