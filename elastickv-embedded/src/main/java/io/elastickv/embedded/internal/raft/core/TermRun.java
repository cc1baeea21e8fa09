package io.elastickv.embedded.internal.raft.core;

/**
 * A run of neighbouring entries of one term; it ends where the next run starts.
 *
 * @param firstIndex index of the run's first entry
 * @param term the term of all its entries
 */
public record TermRun(long firstIndex, long term) {}
