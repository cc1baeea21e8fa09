package io.elastickv.api;

import java.util.Map;

/**
 * The outcome of a multi-get.
 *
 * @param values the keys that exist, with their values; unmodifiable, in the order asked
 * @param atomic whether all were read at one point in time: true when all keys are in one slot
 */
public record MultiGetResult(Map<Bytes, VersionedValue> values, boolean atomic) {}
