/** The Redis protocol: requests from bytes, replies to bytes. Knows nothing of commands. */
@NullMarked
package io.elastickv.redis.internal.resp;

import org.jspecify.annotations.NullMarked;
