package io.elastickv.embedded.internal.routing;

import io.elastickv.api.Bytes;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.shard.MeterReading;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Admits the writes of single keys that carry nearly all of a shard's load, so that they leave the leader time for the
 * others: a token bucket for each. Together they get a part of what the leader could do in all; a write that finds no token
 * is refused as overload, and tried again by the router until its deadline. For the thread of the group's loop.
 */
final class KeyRelief {

    /** All relieved keys of a shard together get this part of what its leader could do; the rest is everybody else's. */
    static final double SHARE = 0.5;
    /** What a write costs besides applying: receiving, logging, sending, answering. About what is measured. */
    private static final double NANOS_PER_WRITE = 10_000;
    /** What applying costs, the log's part included, in terms of the time measured; as the planner has it. */
    private static final double APPLY_FACTOR = 2;
    /** What applying costs as long as too little was applied to know. */
    private static final double USUAL_APPLY_NANOS = 3_000;

    private static final double LEAST_WRITES_PER_SECOND = 10;
    /** A bucket holds the tokens of so many seconds: short bursts pass. */
    private static final double BURST_SECONDS = 0.1;

    private static final double LEAST_BURST = 10;
    private static final long RATE_NANOS = 1_000_000_000L;

    private static final class Bucket {
        private double tokens;
        private long filledNanos;
    }

    private final Supplier<MeterReading> meter;
    private final Map<Bytes, Bucket> buckets = new HashMap<>();
    private double tokensPerSecond;
    private long ratedNanos;

    /**
     * Without any key.
     *
     * @param meter what the shard's replica has to do at the moment
     */
    KeyRelief(Supplier<MeterReading> meter) {
        this.meter = meter;
    }

    /** Admits the writes of these keys from now on, and of no others; those that are relieved already keep their buckets. */
    void relieve(Collection<Bytes> keys, long nowNanos) {
        buckets.keySet().retainAll(keys);
        if (keys.isEmpty()) {
            return;
        }
        List<Bucket> made = new ArrayList<>();
        for (Bytes key : keys) {
            buckets.computeIfAbsent(key, unseen -> {
                Bucket bucket = new Bucket();
                bucket.filledNanos = nowNanos;
                made.add(bucket);
                return bucket;
            });
        }
        rate(nowNanos);
        made.forEach(bucket -> bucket.tokens = burst());
    }

    /** Whether there is no such key: then nobody needs to look into commands. */
    boolean isEmpty() {
        return buckets.isEmpty();
    }

    /** Whether a command may be proposed now; if so, its tokens are taken. */
    boolean admits(Command command, long nowNanos) {
        if (nowNanos - ratedNanos >= RATE_NANOS) {
            rate(nowNanos);
        }
        if (command instanceof Command.Put put) {
            return take(put.key(), nowNanos);
        } else if (command instanceof Command.Delete delete) {
            return take(delete.key(), nowNanos);
        } else if (command instanceof Command.Increment increment) {
            return take(increment.key(), nowNanos);
        } else if (command instanceof Command.Expire expire) {
            return take(expire.key(), nowNanos);
        } else if (command instanceof Command.PutAll all) {
            return takeAny(all.keys(), nowNanos);
        } else if (command instanceof Command.DeleteAll all) {
            return takeAny(all.keys(), nowNanos);
        } else if (command instanceof Command.AtomicBatch batch) {
            return takeAny(batch.steps().stream().map(Command.Step::key).toList(), nowNanos);
        }
        return true; // the library's own
    }

    /** A command with several keys pays for the first one that is relieved: it is one entry of the log. */
    private boolean takeAny(List<byte[]> keys, long nowNanos) {
        for (byte[] key : keys) {
            if (buckets.containsKey(Bytes.copyOf(key))) {
                return take(key, nowNanos);
            }
        }
        return true;
    }

    private boolean take(byte[] key, long nowNanos) {
        Bucket bucket = buckets.get(Bytes.copyOf(key));
        if (bucket == null) {
            return true;
        }
        double seconds = Math.max(0, nowNanos - bucket.filledNanos) / 1e9;
        bucket.tokens = Math.min(burst(), bucket.tokens + seconds * tokensPerSecond);
        bucket.filledNanos = nowNanos;
        if (bucket.tokens < 1) {
            return false;
        }
        bucket.tokens--;
        return true;
    }

    private double burst() {
        return Math.max(LEAST_BURST, tokensPerSecond * BURST_SECONDS);
    }

    /** What one key gets: a part of the writes that one thread could do at what a write costs at the moment. */
    private void rate(long nowNanos) {
        ratedNanos = nowNanos;
        MeterReading reading = meter.get();
        double applyNanos = reading.writesPerSecond() >= LEAST_WRITES_PER_SECOND
                ? reading.applyNanosPerSecond() / reading.writesPerSecond()
                : USUAL_APPLY_NANOS;
        double capacity = 1e9 / (NANOS_PER_WRITE + APPLY_FACTOR * applyNanos);
        tokensPerSecond = SHARE * capacity / Math.max(1, buckets.size());
    }

    /** For tests. */
    double tokensPerSecond() {
        return tokensPerSecond;
    }
}
