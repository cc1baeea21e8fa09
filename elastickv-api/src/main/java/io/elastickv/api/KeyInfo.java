package io.elastickv.api;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What is known of a key without its value.
 *
 * @param version see {@link VersionedValue#version()}
 * @param valueLength the length of the value in bytes
 * @param expiresAt when the key expires, if it does
 * @param timeToLive how long it still lives by the clock of the shard's leader, if it expires
 */
public record KeyInfo(long version, int valueLength, Optional<Instant> expiresAt, Optional<Duration> timeToLive) {}
