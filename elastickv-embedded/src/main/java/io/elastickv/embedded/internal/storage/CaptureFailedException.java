package io.elastickv.embedded.internal.storage;

import java.io.IOException;

/** The state to be written could not be held any longer. Nothing is wrong with the disk; the host tries again later. */
public final class CaptureFailedException extends IOException {

    private static final long serialVersionUID = 1L;

    /** Says why. */
    public CaptureFailedException(String message) {
        super(message);
    }
}
