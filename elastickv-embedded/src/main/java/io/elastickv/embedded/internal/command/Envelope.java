package io.elastickv.embedded.internal.command;

/**
 * A command with what makes it repeatable: whose it is, and when.
 *
 * @param sessionId the session, 0 for none; without one a retry is applied again
 * @param sequence the number of the command within its session, from 1 on, in any order; 0 without a session
 * @param ackedBelow the session's owner has the results of all smaller sequences, or gave them up: they may be forgotten
 * @param timeMillis the leader's clock in milliseconds since 1970, stamped when the command is proposed
 * @param command the command
 */
public record Envelope(long sessionId, long sequence, long ackedBelow, long timeMillis, Command command) {

    /** Checks the numbers. */
    public Envelope {
        if (sessionId < 0 || sequence < 0 || ackedBelow < 0 || ackedBelow > sequence) {
            throw new IllegalArgumentException(
                    "session = " + sessionId + ", sequence = " + sequence + ", acknowledged below = " + ackedBelow);
        }
    }

    /** A command without a session, not yet stamped. */
    public static Envelope of(Command command) {
        return new Envelope(0, 0, 0, 0, command);
    }
}
