/**
 * Where a shard's keys and values are kept: in memory, off heap or on it, divided into buckets of consecutive slots.
 *
 * <p>One thread writes (the shard's apply thread), any number read beside it. Only the classes named Chronicle know the
 * library of that name.
 *
 * <p>Figures of the off-heap storage (JDK 17, 24 replicas of 2048 slots in one JVM, {@code ShardCosts} among the tests): with
 * 1,000 keys 1.2 MB of heap and 500 MB of address space, hardly any of it resident; with 1,000,000 entries of 16 B keys and
 * 100 B values on each of three nodes 0.4 B of heap, 173 B of address space and some 190 B of resident memory per entry.
 * Applying a put takes about 1.1 microseconds of CPU, a get about 1.0.
 */
@NullMarked
package io.elastickv.embedded.internal.storage;

import org.jspecify.annotations.NullMarked;
