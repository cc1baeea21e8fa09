/**
 * What travels through a shard's log and what comes back: commands, their envelope, results, queries, and their bytes.
 *
 * <p>Pure: nothing but the JDK, no I/O, no clock, no threads. Arrays passed to a record belong to it afterwards and are
 * never changed again; arrays returned by a record must not be changed.
 */
@NullMarked
package io.elastickv.embedded.internal.command;

import org.jspecify.annotations.NullMarked;
