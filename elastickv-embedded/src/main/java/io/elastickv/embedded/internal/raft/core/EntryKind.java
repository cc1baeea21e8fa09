package io.elastickv.embedded.internal.raft.core;

/** What a log entry holds. The codes are on the wire and on disk: they never change meaning. */
public enum EntryKind {
    /** Opens a leader's term; carries nothing (Ongaro, 6.4). */
    NOOP(0),
    /** A command for the state machine. */
    COMMAND(1),
    /** The group's members from this entry on: a {@link Configuration}, in effect as soon as it is appended. */
    CONFIGURATION(2);

    private static final EntryKind[] BY_CODE = {NOOP, COMMAND, CONFIGURATION};

    private final byte code;

    EntryKind(int code) {
        this.code = (byte) code;
    }

    /** The code that stands for this kind on the wire and on disk. */
    public byte code() {
        return code;
    }

    /**
     * The kind of a code.
     *
     * @throws IllegalArgumentException if no kind has this code
     */
    public static EntryKind ofCode(int code) {
        if (code < 0 || code >= BY_CODE.length) {
            throw new IllegalArgumentException("unknown entry kind code " + code);
        }
        return BY_CODE[code];
    }
}
