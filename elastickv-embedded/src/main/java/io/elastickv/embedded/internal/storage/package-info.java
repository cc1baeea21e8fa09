/**
 * Where a shard's keys and values are kept: in memory, off heap or on it, divided into buckets of consecutive slots.
 *
 * <p>One thread writes (the shard's apply thread), any number read beside it. Only the classes named Chronicle know the
 * library of that name.
 */
@NullMarked
package io.elastickv.embedded.internal.storage;

import org.jspecify.annotations.NullMarked;
