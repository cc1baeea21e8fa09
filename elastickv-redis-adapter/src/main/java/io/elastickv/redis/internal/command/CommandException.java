package io.elastickv.redis.internal.command;

/** Ends a command with an error reply; the message is the whole line, code included. */
public final class CommandException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** With the line to send. */
    public CommandException(String line) {
        super(line, null, false, false);
    }

    static CommandException syntax() {
        return new CommandException("ERR syntax error");
    }

    static CommandException notAnInteger() {
        return new CommandException("ERR value is not an integer or out of range");
    }

    static CommandException arity(String fullName) {
        return new CommandException("ERR wrong number of arguments for '" + fullName + "' command");
    }
}
