package io.elastickv.api;

import java.nio.file.Path;
import java.time.Duration;

/**
 * Backups of the whole cluster in one file: the keys, their values and the times at which they expire. Versions are not
 * kept, they are given anew where the keys are restored. Works from members and from storage-less nodes; the file is on
 * the machine of the node that is asked. All methods block. Thread-safe.
 *
 * <p>What goes wrong with the file itself, such as a full disk, is an {@link java.io.UncheckedIOException} whose message
 * names the file and what to do.
 */
public interface Backups {

    /**
     * Writes all that the cluster holds into a new file, as it was at one moment during the call: every write that was
     * acknowledged before that moment is in it, and none that was begun after it. Reads go on meanwhile, writes wait
     * for a few milliseconds. The file appears under its name when it is complete and durable.
     *
     * @param file where to; an existing file is not touched
     * @param timeout for all of it
     * @throws InvalidRequestException if there is such a file already
     * @throws UnavailableException if the shards' leaders were not reached, or did not last, within {@code timeout};
     *     there is no file then
     */
    BackupInfo exportTo(Path file, Duration timeout);

    /**
     * Writes the keys of a backup into the cluster, which may have any number of nodes and shards. The whole file is
     * verified before anything is written. A key whose time to expire has passed is not restored. An import that did not
     * get through is repeated with {@link ImportMode#OVER_EXISTING}: doing it twice does no harm.
     *
     * <p>It is not one step: who reads meanwhile sees a part of the keys.
     *
     * @param timeout for all of it
     * @throws InvalidRequestException if the file is missing ({@code INVALID_ARGUMENT}), no backup or damaged
     *     ({@code DAMAGED}), written by a newer version ({@code UNSUPPORTED}), or the cluster has keys and {@code mode}
     *     does not allow that ({@code NOT_EMPTY}); nothing was written
     * @throws UnavailableException if the cluster was not reached; nothing was written
     * @throws OutcomeUnknownException if a part was written; the message says how much
     */
    ImportResult importFrom(Path file, ImportMode mode, Duration timeout);

    /**
     * Reads a backup and checks every byte of it, without a cluster.
     *
     * @throws InvalidRequestException as {@link #importFrom} does
     */
    BackupInfo verify(Path file);
}
