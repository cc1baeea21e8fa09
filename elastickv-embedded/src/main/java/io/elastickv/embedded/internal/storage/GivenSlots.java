package io.elastickv.embedded.internal.storage;

/**
 * Slots that a shard gave away and whose entries it still has.
 *
 * @param epoch of the shard's ownership that giving them led to
 * @param slots the slots
 * @param to the shard that takes them in
 * @param versionFloor no version in them is larger
 */
public record GivenSlots(long epoch, SlotSpan slots, int to, long versionFloor) {}
