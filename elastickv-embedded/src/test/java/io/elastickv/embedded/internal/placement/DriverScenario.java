package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.Operation;

/** Operations that nobody can ask for: they are written into the catalog as a driver would that has planned them. */
final class DriverScenario {

    private DriverScenario() {}

    static void begin(DriverRig rig, Operation operation) {
        CatalogState state = rig.store.state;
        CatalogEdit edit = state.edit();
        CatalogOperation.At at = Kinds.of(operation).begin(operation, edit, rig.world.now);
        edit.put(new CatalogOperation(edit.takeOperation(), operation, "test", "TEST", rig.world.now, at));
        rig.store.phases.add(at.phase());
        rig.store.state = state.apply(edit.toDelta(rig.world.now));
    }
}
