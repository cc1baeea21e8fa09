/**
 * Serves an Elastickv store to Redis clients: {@link io.elastickv.redis.RedisAdapter}. It stands on the public API
 * only.
 *
 * <p>Replies and errors are those of Redis 7.0 in cluster mode, byte for byte, with these differences:
 *
 * <ul>
 *   <li>Values are strings. Commands of other types, transactions, scripts and subscriptions are unknown commands.
 *   <li>{@code MGET DEL UNLINK EXISTS TOUCH} work across slots, each key by itself. {@code MSET MSETNX RENAME RENAMENX
 *       COPY} promise to be atomic and so want keys of one slot ({@code CROSSSLOT}).
 *   <li>No {@code MOVED}: any node takes any command. {@code DBSIZE KEYS SCAN RANDOMKEY FLUSHALL} and {@code CLUSTER
 *       COUNTKEYSINSLOT} mean the whole cluster on every node, so a client that adds up the nodes counts keys several
 *       times.
 *   <li>Keys have 1 byte to 64 KiB (the empty key is an error), values up to 16 MiB, requests up to 64 MiB.
 *   <li>{@code CLUSTERDOWN} and {@code TRYAGAIN} mean that the command had no effect; {@code ERR outcome unknown} that it
 *       may or may not have.
 *   <li>{@code WAIT} does not wait: an acknowledged write is on a majority already, and the reply is how many replicas
 *       beside the leader that is.
 *   <li>{@code OBJECT ENCODING} and {@code REFCOUNT} tell what Redis would say of the value just set; {@code IDLETIME} is 0.
 *   <li>{@code CLIENT SETINFO}, {@code CLIENT NO-TOUCH}, {@code CLUSTER MYSHARDID} and the fields {@code lib-name} and
 *       {@code lib-ver} of {@code CLIENT LIST} are those of 7.2, because clients send or read them.
 *   <li>Commands of one connection keep their order on each key; those on different keys may take effect in any order
 *       before their replies. Neighbouring {@code GET}, {@code INCR}, {@code DECR} or plain {@code SET} of one key may be
 *       carried out as one step.
 * </ul>
 */
@NullMarked
package io.elastickv.redis;

import org.jspecify.annotations.NullMarked;
