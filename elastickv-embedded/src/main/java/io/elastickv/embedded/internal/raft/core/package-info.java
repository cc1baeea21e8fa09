/**
 * The consensus of one Raft group as a deterministic, single-threaded state machine: events in, effects out.
 *
 * <p>It follows Diego Ongaro, "Consensus: Bridging Theory and Practice" (Stanford, 2014), cited as "Ongaro" with
 * the section. Nothing here does I/O, reads a clock, starts a thread, or uses randomness that was not handed in.
 */
@NullMarked
package io.elastickv.embedded.internal.raft.core;

import org.jspecify.annotations.NullMarked;
