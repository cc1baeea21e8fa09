/**
 * Serves an Elastickv store to Redis clients: {@link io.elastickv.redis.RedisAdapter}. It stands on the public API
 * only.
 */
@NullMarked
package io.elastickv.redis;

import org.jspecify.annotations.NullMarked;
