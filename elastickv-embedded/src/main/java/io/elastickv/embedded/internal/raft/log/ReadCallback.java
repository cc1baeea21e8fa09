package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.raft.core.LogEntry;
import java.util.List;

/** Receives the result of {@link GroupLog#read}; called once, on the log's reader thread (in stepped mode, in
 * {@link NodeLog#step}); must not block. */
public interface ReadCallback {

    /**
     * The entries, contiguous from the first index asked for; fewer than asked if a limit was reached or the log ends.
     * The receiver owns the payloads.
     */
    void entries(List<LogEntry> entries);

    /**
     * The entries cannot be read. {@link EntriesGoneException}: they were compacted, all is well; otherwise, if the disk or the
     * file is bad, the log is poisoned now.
     */
    void failed(Throwable cause);
}
