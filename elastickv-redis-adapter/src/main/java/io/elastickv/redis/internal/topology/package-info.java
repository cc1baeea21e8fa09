/** What cluster-aware Redis clients are told about the nodes. */
@NullMarked
package io.elastickv.redis.internal.topology;

import org.jspecify.annotations.NullMarked;
