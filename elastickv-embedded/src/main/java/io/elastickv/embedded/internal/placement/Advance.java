package io.elastickv.embedded.internal.placement;

import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a step led to: the next step, the end, or nothing yet. The change of the catalog is durable before the next step is
 * taken.
 *
 * @param next the next step, with the numbers that it needs; null if there is none or the operation stays where it is
 * @param outcome how the operation ends; null if it does not
 * @param why why it ends
 * @param change what else changes in the catalog
 */
record Advance(
        @Nullable Function<CatalogEdit, CatalogOperation.At> next,
        PastOperation.@Nullable Outcome outcome,
        String why,
        Consumer<CatalogEdit> change) {

    /** Nothing yet. */
    static final Advance STAY = new Advance(null, null, "", edit -> {});

    static Advance to(CatalogOperation.At next) {
        return to(next, edit -> {});
    }

    static Advance to(CatalogOperation.At next, Consumer<CatalogEdit> change) {
        return new Advance(edit -> next, null, "", change);
    }

    static Advance done(String why, Consumer<CatalogEdit> change) {
        return new Advance(null, PastOperation.Outcome.DONE, why, change);
    }

    static Advance undone(String why, Consumer<CatalogEdit> change) {
        return new Advance(null, PastOperation.Outcome.UNDONE, why, change);
    }

    static Advance failed(String why, Consumer<CatalogEdit> change) {
        return new Advance(null, PastOperation.Outcome.FAILED, why, change);
    }

    boolean stays() {
        return next == null && outcome == null;
    }
}
