package io.elastickv.embedded.internal.simulation;

import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.QueryResult;
import org.jspecify.annotations.Nullable;

/** How a request ends: exactly one of these is called, on the replica's loop. */
interface Reply {

    /** For requests whose end nobody waits for. */
    Reply TO_NOBODY = new Reply() {
        @Override
        public void applied(CommandResult result) {}

        @Override
        public void answered(QueryResult result) {}

        @Override
        public void refused(@Nullable String leaderHint) {}

        @Override
        public void unknown() {}
    };

    /** The command was applied. */
    void applied(CommandResult result);

    /** The query was answered. */
    void answered(QueryResult result);

    /** Nothing came of this request, and nothing ever will. */
    void refused(@Nullable String leaderHint);

    /** The command may be applied, or not. */
    void unknown();
}
