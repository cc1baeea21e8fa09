/** Connections: order, bounds and life cycle. The only package that knows Netty's channels. */
@NullMarked
package io.elastickv.redis.internal.server;

import org.jspecify.annotations.NullMarked;
