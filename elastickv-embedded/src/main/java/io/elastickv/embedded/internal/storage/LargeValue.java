package io.elastickv.embedded.internal.storage;

/**
 * Where a value lies that is kept in pieces.
 *
 * @param id never used again for another value of the same bucket
 * @param length the length of the value in bytes
 * @param version the log index of the last change of the value
 * @param expiresAtMillis 0 for never
 */
record LargeValue(long id, int length, long version, long expiresAtMillis) {}
