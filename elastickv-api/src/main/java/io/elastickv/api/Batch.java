package io.elastickv.api;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Conditions and operations on keys of one slot that take effect together or not at all, as one linearizable step: the
 * operations run, in order, if every condition holds. Keys share a slot when their {@code {hash tags}} are equal (see
 * {@link KeySlot}). Immutable; made by {@link #builder()}.
 */
public final class Batch {

    /** One step of a batch. */
    public sealed interface Step {

        /** The key concerned. */
        Bytes key();
    }

    /**
     * Reads a key as it is at this point of the batch.
     *
     * @param key the key
     */
    public record Get(Bytes key) implements Step {}

    /**
     * Writes a key; when its own condition does not hold this step alone has no effect.
     *
     * @param key the key
     * @param value the value
     * @param options how
     */
    public record Put(Bytes key, Bytes value, PutOptions options) implements Step {}

    /**
     * Deletes a key.
     *
     * @param key the key
     */
    public record Delete(Bytes key) implements Step {}

    /**
     * Changes the expiry of a key.
     *
     * @param key the key
     * @param expiry what it becomes
     */
    public record Expire(Bytes key, Expiry expiry) implements Step {}

    /**
     * A condition of the whole batch.
     *
     * @param key the key
     * @param condition what must hold before the first step
     */
    public record Requirement(Bytes key, Condition condition) {}

    private final List<Requirement> requirements;
    private final List<Step> steps;

    private Batch(List<Requirement> requirements, List<Step> steps) {
        this.requirements = List.copyOf(requirements);
        this.steps = List.copyOf(steps);
    }

    /** A new, empty builder. */
    public static Builder builder() {
        return new Builder();
    }

    /** The conditions, in the order given. */
    public List<Requirement> requirements() {
        return requirements;
    }

    /** The steps, in the order given. */
    public List<Step> steps() {
        return steps;
    }

    /** Collects the parts of a batch. Not thread-safe. */
    public static final class Builder {

        private final List<Requirement> requirements = new ArrayList<>();
        private final List<Step> steps = new ArrayList<>();

        private Builder() {}

        /** The batch takes effect only if {@code condition} holds for {@code key} before the first step. */
        public Builder require(Bytes key, Condition condition) {
            requirements.add(new Requirement(
                    Objects.requireNonNull(key, "key"), Objects.requireNonNull(condition, "condition")));
            return this;
        }

        /** Reads {@code key}. */
        public Builder get(Bytes key) {
            steps.add(new Get(Objects.requireNonNull(key, "key")));
            return this;
        }

        /** Writes {@code key}, without expiry. */
        public Builder put(Bytes key, Bytes value) {
            return put(key, value, PutOptions.defaults());
        }

        /** Writes {@code key}. */
        public Builder put(Bytes key, Bytes value, PutOptions options) {
            steps.add(new Put(
                    Objects.requireNonNull(key, "key"),
                    Objects.requireNonNull(value, "value"),
                    Objects.requireNonNull(options, "options")));
            return this;
        }

        /** Deletes {@code key}. */
        public Builder delete(Bytes key) {
            steps.add(new Delete(Objects.requireNonNull(key, "key")));
            return this;
        }

        /** Lets {@code key} expire after {@code duration}. */
        public Builder expire(Bytes key, Duration duration) {
            return expire(key, Expiry.after(duration));
        }

        /** Changes the expiry of {@code key}. */
        public Builder expire(Bytes key, Expiry expiry) {
            steps.add(new Expire(Objects.requireNonNull(key, "key"), Objects.requireNonNull(expiry, "expiry")));
            return this;
        }

        /** The batch as collected so far. */
        public Batch build() {
            return new Batch(requirements, steps);
        }
    }
}
