package io.elastickv.embedded.internal.raft;

import io.elastickv.embedded.internal.raft.core.Configuration;
import java.util.List;

/**
 * The durable copies of one group's state machine. The group says when one is made, and when one is fetched from another
 * replica and takes the state's place; how that is done is the business of whoever implements this.
 */
public interface GroupSnapshots {

    /**
     * A durable copy.
     *
     * @param index of the last entry that is in it
     * @param term of that entry
     * @param bytes its size
     */
    record Snapshot(long index, long term, long bytes) {}

    /**
     * Takes hold of the state as it is now. On the group's loop; takes microseconds. The state machine may go on at once.
     *
     * @param index of the last entry applied
     * @param term of that entry
     * @param configuration the members as of that entry
     */
    Capture capture(long index, long term, Configuration configuration);

    /**
     * Fetches the state of the replica on {@code node}, makes it durable here and gets it ready to take the place of the
     * state machine's. On the group's loop; does not block.
     *
     * @param leastIndex the log of that replica no longer reaches back to entries at or below this one
     * @param callback told the end, on any thread
     */
    void fetch(String node, long leastIndex, FetchCallback callback);

    /** Gives up what is being fetched, if anything is; its callback is told. On the group's loop. */
    void cancelFetch();

    /**
     * The entry up to which the log may go as far as those are concerned who fetch the state from here, or just did;
     * {@link Long#MAX_VALUE} if nobody does. Any thread.
     */
    long leasedIndex();

    /** A state that was taken hold of. */
    interface Capture extends AutoCloseable {

        /**
         * Writes it, durably. Blocks; once, on a thread that may.
         *
         * @return what is kept from now on, the newest first, this one among them
         * @throws RuntimeException if it cannot be written; what was there before still is
         */
        List<Snapshot> write();

        /** Lets go of the state. Any thread, any number of times; always to be called. */
        @Override
        void close();
    }

    /** Told the end of a fetch, exactly once. */
    interface FetchCallback {

        /** The state is here; whoever is told has to {@link Incoming#close()} it. */
        void fetched(Incoming incoming);

        /** It could not be fetched. */
        void failed(Throwable cause);
    }

    /** The state of another replica, durable here, and loaded beside the present one. */
    interface Incoming extends AutoCloseable {

        /** What it is. */
        Snapshot snapshot();

        /** The members as of its last entry. */
        Configuration configuration();

        /**
         * Puts it in the place of the state machine's state. On the group's loop; takes microseconds.
         *
         * @throws RuntimeException if that is not possible; the old state is still there then
         */
        void install();

        /** Frees what was not installed. Any thread, any number of times. */
        @Override
        void close();
    }
}
