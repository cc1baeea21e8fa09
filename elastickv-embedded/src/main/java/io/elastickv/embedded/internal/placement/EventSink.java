package io.elastickv.embedded.internal.placement;

/** Told what the driver decides. Called on the driver's thread, after the decision is durable; must not block or throw. */
public interface EventSink {

    /** An operation has begun. */
    void began(CatalogOperation operation);

    /** It has ended. */
    void ended(PastOperation operation);

    /** Something else was decided, in a sentence: about a node or a setting. */
    void decided(String what);
}
