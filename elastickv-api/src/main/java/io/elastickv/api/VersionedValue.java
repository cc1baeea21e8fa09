package io.elastickv.api;

import java.time.Instant;
import java.util.Optional;

/**
 * A value as it is stored.
 *
 * @param value the value
 * @param version the modification index of the last change of the value; it grows with every change of the key (also
 *     across delete and re-creation) and is what {@code compareAndSet} by version compares
 * @param expiresAt when the key expires, if it does
 */
public record VersionedValue(Bytes value, long version, Optional<Instant> expiresAt) {}
