package io.elastickv.embedded.internal.placement;

/** Where the catalog is kept: its group. Calls block for a few seconds at most. */
public interface CatalogStore {

    /**
     * The catalog as it is now: no change that was acknowledged before the call is missing.
     *
     * @param known what the caller knows; given back itself if it is that
     * @return {@link CatalogState#EMPTY} if there is none yet
     * @throws CatalogException if it cannot be read now
     */
    CatalogState load(CatalogState known) throws CatalogException;

    /**
     * Changes it, if it is still what the caller knows. Of two changes of the same revision at most one happens.
     *
     * @return what the change leads to
     * @throws CatalogException if it did not happen, or nobody knows
     */
    CatalogState commit(CatalogState known, CatalogDelta delta) throws CatalogException;
}
