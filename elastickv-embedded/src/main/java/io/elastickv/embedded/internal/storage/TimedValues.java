package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.command.StoredValue;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Entries of one slot as they were together, with the log's time at which the shard was in that state.
 *
 * @param values in the order asked, expired or not; null where there is none
 * @param logTimeMillis the log's time
 */
public record TimedValues(List<@Nullable StoredValue> values, long logTimeMillis) {}
