package io.elastickv.api;

import java.util.Optional;

/**
 * The outcome of a conditional write or delete.
 *
 * @param applied whether the condition held and the write took effect
 * @param version the version that the key has now; 0 if it does not exist
 * @param previous what the key had before, if it existed and the caller asked for it
 */
public record WriteResult(boolean applied, long version, Optional<VersionedValue> previous) {}
