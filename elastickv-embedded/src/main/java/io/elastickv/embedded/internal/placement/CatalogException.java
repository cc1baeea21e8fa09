package io.elastickv.embedded.internal.placement;

/** The catalog could not be read or changed. Whoever gets it knows nothing of the catalog any more and has to load it. */
public final class CatalogException extends Exception {

    private static final long serialVersionUID = 1;

    /** What is known of the change. */
    public enum Kind {
        /** Somebody else has changed the catalog: this one did not happen. */
        CONFLICT,
        /** It did not happen: the catalog's group does not answer, or this node does not lead it. */
        UNAVAILABLE,
        /** It may have happened, or still happen. */
        UNKNOWN
    }

    private final Kind kind;

    /** With a message for people. */
    public CatalogException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    /** What is known of the change. */
    public Kind kind() {
        return kind;
    }
}
