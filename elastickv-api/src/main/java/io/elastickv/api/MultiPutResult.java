package io.elastickv.api;

/**
 * The outcome of a multi-put.
 *
 * @param atomic whether all took effect at one point in time: true when all keys are in one slot
 * @param written the number of keys written
 */
public record MultiPutResult(boolean atomic, int written) {}
