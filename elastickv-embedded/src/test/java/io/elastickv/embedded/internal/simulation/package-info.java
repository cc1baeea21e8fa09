/**
 * The whole stack on virtual time in one thread: real loops, replicas, logs, state machines and commands over simulated
 * disks, clocks and networks. {@code docs/simulation.md} says what is simulated, what is checked, and how to replay a seed.
 */
@NullMarked
package io.elastickv.embedded.internal.simulation;

import org.jspecify.annotations.NullMarked;
