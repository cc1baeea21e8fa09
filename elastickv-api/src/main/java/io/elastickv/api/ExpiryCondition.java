package io.elastickv.api;

/** When {@code expire} takes effect on an existing key. */
public enum ExpiryCondition {
    /** Always. */
    ALWAYS,
    /** Only if the key has no expiry. */
    IF_NONE,
    /** Only if the key has an expiry. */
    IF_ANY,
    /** Only if the new expiry is later than the present one; a key without expiry counts as never expiring. */
    IF_LATER,
    /** Only if the new expiry is earlier than the present one; a key without expiry counts as never expiring. */
    IF_EARLIER
}
