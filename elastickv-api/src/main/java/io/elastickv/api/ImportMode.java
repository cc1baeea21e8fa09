package io.elastickv.api;

/** What an import does with keys that the cluster has already. */
public enum ImportMode {
    /** It refuses to begin if there are any. */
    INTO_EMPTY,
    /** It replaces those that the backup has, and leaves the others alone. */
    OVER_EXISTING
}
