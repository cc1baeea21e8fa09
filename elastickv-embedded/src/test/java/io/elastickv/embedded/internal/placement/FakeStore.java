package io.elastickv.embedded.internal.placement;

import java.util.EnumSet;
import java.util.Set;
import java.util.function.Supplier;

/** A catalog in memory, that several drivers share; changes may be lost, or happen without an answer. */
final class FakeStore implements CatalogStore {

    CatalogState state = CatalogState.EMPTY;
    Runnable hook = () -> {};
    Supplier<FakeWorld.Fate> fates = () -> FakeWorld.Fate.DONE;
    /** At which operations have been. */
    final Set<Phase> phases = EnumSet.noneOf(Phase.class);

    @Override
    public CatalogState load(CatalogState known) {
        return known.revision() == state.revision() ? known : state;
    }

    @Override
    public CatalogState commit(CatalogState known, CatalogDelta delta) throws CatalogException {
        hook.run();
        if (known.revision() != state.revision()) {
            throw new CatalogException(CatalogException.Kind.CONFLICT, "it is at " + state.revision());
        }
        FakeWorld.Fate fate = fates.get();
        if (fate == FakeWorld.Fate.LOST) {
            throw new CatalogException(CatalogException.Kind.UNAVAILABLE, "no answer");
        }
        state = known.apply(CatalogDelta.decode(delta.encode()));
        state.running().values().forEach(operation -> phases.add(operation.at().phase()));
        hook.run();
        if (fate != FakeWorld.Fate.DONE) {
            throw new CatalogException(CatalogException.Kind.UNKNOWN, "no answer");
        }
        return state;
    }
}
