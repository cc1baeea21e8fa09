package io.elastickv.samples;

/** What the programs tell the shell. */
final class ExitCode {

    static final int OK = 0;
    /** The demo: it could not start, or a node has failed. */
    static final int FAILED = 1;
    /** The client: the key does not exist. */
    static final int NOT_FOUND = 1;
    /** The command line or the request is wrong. */
    static final int USAGE = 2;
    /** The operation was not applied. */
    static final int NOT_APPLIED = 3;
    /** Whether the operation was applied is not known. */
    static final int UNKNOWN = 4;
    /** A defect of the program. */
    static final int INTERNAL = 70;

    private ExitCode() {}
}
