package io.elastickv.embedded.internal.simulation;

/** A promise is broken. The part of the message before the colon names the promise. */
final class Violation extends AssertionError {

    private static final long serialVersionUID = 1;

    Violation(String promise, String what) {
        super(promise + ": " + what);
    }
}
