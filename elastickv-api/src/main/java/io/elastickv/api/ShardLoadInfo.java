package io.elastickv.api;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a shard has to do and how large it is. Rates are exponentially weighted means over about three seconds, unless
 * something else is said.
 *
 * @param shard its number
 * @param slots what it owns, in order
 * @param leader the node that leads it, as far as known
 * @param readsPerSecond reads that its replicas served
 * @param writesPerSecond writes that its leader took
 * @param bytesPerSecond bytes of keys and values, read and written
 * @param applyShare which part of a core a replica needs to apply the writes; 0.1 is a tenth of one
 * @param steadyOpsPerSecond reads and writes as a mean over about half a minute
 * @param entries how many entries it has
 * @param sizeBytes about how many bytes a new replica has to fetch
 * @param hotKeys its keys that stand out, the hottest first
 */
public record ShardLoadInfo(
        int shard,
        List<SlotRange> slots,
        Optional<String> leader,
        double readsPerSecond,
        double writesPerSecond,
        double bytesPerSecond,
        double applyShare,
        double steadyOpsPerSecond,
        long entries,
        long sizeBytes,
        List<HotKeyInfo> hotKeys) {

    /** Copies the lists. */
    public ShardLoadInfo {
        slots = List.copyOf(slots);
        Objects.requireNonNull(leader);
        hotKeys = List.copyOf(hotKeys);
    }

    /** Reads and writes per second. */
    public double opsPerSecond() {
        return readsPerSecond + writesPerSecond;
    }
}
