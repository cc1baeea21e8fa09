package io.elastickv.embedded.internal.storage;

/**
 * What is known of an entry without its value.
 *
 * @param version the log index of the last change of the value
 * @param expiresAtMillis when it expires, in milliseconds since 1970; 0 for never
 * @param valueLength the length of the value in bytes
 */
public record EntryInfo(long version, long expiresAtMillis, int valueLength) {}
