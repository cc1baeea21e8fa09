package io.elastickv.embedded.internal.backup;

/** An export cannot go on; what was exported so far is of no use. */
final class ExportFailedException extends Exception {

    private static final long serialVersionUID = 1L;

    ExportFailedException(String message) {
        super(message);
    }
}
