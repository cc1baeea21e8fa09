package io.elastickv.api;

/** What must be true of a key for a write to take effect. Immutable. */
public sealed interface Condition {

    /** Always true. */
    record Always() implements Condition {}

    /** The key does not exist. */
    record Absent() implements Condition {}

    /** The key exists. */
    record Present() implements Condition {}

    /**
     * The key exists with this version.
     *
     * @param version see {@link VersionedValue#version()}
     */
    record VersionIs(long version) implements Condition {}

    /**
     * The key exists with this value.
     *
     * @param value compared byte by byte
     */
    record ValueIs(Bytes value) implements Condition {}

    /** Always true. */
    static Condition always() {
        return Conditions.ALWAYS;
    }

    /** The key does not exist. */
    static Condition absent() {
        return Conditions.ABSENT;
    }

    /** The key exists. */
    static Condition present() {
        return Conditions.PRESENT;
    }

    /** The key exists with this version. */
    static Condition versionIs(long version) {
        return new VersionIs(version);
    }

    /** The key exists with this value. */
    static Condition valueIs(Bytes value) {
        return new ValueIs(value);
    }
}
