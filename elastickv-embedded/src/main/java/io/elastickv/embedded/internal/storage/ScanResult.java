package io.elastickv.embedded.internal.storage;

import java.util.List;

/**
 * Keys in scan order.
 *
 * @param keys some keys
 * @param nextOrder where to go on; the end that was asked for if there are no more
 */
public record ScanResult(List<byte[]> keys, long nextOrder) {}
