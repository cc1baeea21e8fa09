/** The commands: their table, their handlers, their texts. */
@NullMarked
package io.elastickv.redis.internal.command;

import org.jspecify.annotations.NullMarked;
