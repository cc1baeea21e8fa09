package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.Automation;
import io.elastickv.embedded.internal.placement.plan.Loads;
import io.elastickv.embedded.internal.placement.plan.NodeState;
import io.elastickv.embedded.internal.placement.plan.Operation;
import io.elastickv.embedded.internal.placement.plan.Plan;
import io.elastickv.embedded.internal.placement.plan.Planner;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * Carries out what the {@link Planner} plans and what is asked for, on the node that leads the catalog's group. In rounds: it
 * takes the next step of each operation, writes down what it led to, plans, and begins new operations. What an operation
 * needs to go on is in the catalog before the step is taken that needs it, so a driver on another node goes on from there. Two
 * drivers at once are kept apart by the catalog's revision: of two changes of the same one, only one happens, and the other
 * driver begins anew with what is there.
 *
 * <p>Not thread-safe: rounds and requests are to be called by one thread. Calls block for as long as the catalog and the
 * actions do.
 */
public final class PlacementDriver {

    private final CatalogStore store;
    private final Sight sight;
    private final Actions actions;
    private final EventSink events;
    private final Supplier<CatalogState> initial;
    private final DriverSettings settings;
    private final Stepping stepping;

    private CatalogState state = CatalogState.EMPTY;
    private long sinceMillis = -1;
    private long plannedMillis = Long.MIN_VALUE / 2;
    private long straysMillis = Long.MIN_VALUE / 2;

    /**
     * Makes a driver that knows nothing yet.
     *
     * @param initial the catalog that a cluster without one begins with
     * @param executor where the steps of several operations are taken at the same time; a direct one takes them in turn
     */
    public PlacementDriver(
            CatalogStore store,
            Sight sight,
            Actions actions,
            EventSink events,
            Supplier<CatalogState> initial,
            DriverSettings settings,
            Executor executor) {
        this.store = store;
        this.sight = sight;
        this.actions = actions;
        this.events = events;
        this.initial = initial;
        this.settings = settings;
        this.stepping = new Stepping(executor);
    }

    /** Forgets all: for a node that has ceased to lead the catalog, or begins to. */
    public void forget() {
        state = CatalogState.EMPTY;
        sinceMillis = -1;
        stepping.forget();
    }

    /**
     * One round; to be called a few times a second.
     *
     * @param now in milliseconds since 1970
     * @throws CatalogException if the catalog could not be read or changed; the next round begins anew
     */
    public void round(long now) throws CatalogException {
        load(now);
        housekeep(now);
        advance(now, settings.passes());
        if (now - plannedMillis >= settings.planMillis()) {
            plannedMillis = now;
            if (begin(now)) {
                advance(now, settings.passes());
            }
        }
    }

    /**
     * Does what is asked for, or begins to.
     *
     * @return the number of the operation that has begun or is meant, or 0 if it is none
     * @throws RefusedException if it cannot be done; the message says why
     * @throws CatalogException if the catalog could not be read or changed; it may have been if that is unknown
     */
    public long request(Request request, long now) throws RefusedException, CatalogException {
        load(now);
        Scene scene = scene(now);
        CatalogEdit edit = state.edit();
        Requests requests = new Requests(scene, edit);
        Changes changes = new Changes();
        long id = 0;
        if (request instanceof Request.Join join) {
            requests.join(join);
        } else if (request instanceof Request.Drain drain) {
            requests.drain(drain);
        } else if (request instanceof Request.Stay stay) {
            requests.stay(stay);
        } else if (request instanceof Request.SetReplicationFactor set) {
            requests.set(set);
        } else if (request instanceof Request.SetAutomation set) {
            requests.set(set);
        } else if (request instanceof Request.Abandon abandon) {
            id = abandon.operation();
            stepping.abandon(id, scene, edit, changes);
        } else {
            Operation operation = requests.operation(request);
            new Admission(scene).admit(operation);
            id = begin(operation, "it was asked for", CatalogOperation.OPERATOR, edit, changes, now);
        }
        changes.decided.addAll(requests.decisions());
        commit(edit, changes, now);
        return id;
    }

    /**
     * What would be done now; changes nothing.
     *
     * @throws CatalogException if the catalog could not be read
     */
    public DryRun plan(long now) throws CatalogException {
        load(now);
        Views views = new Views(scene(now), sight.sizes());
        return new DryRun(
                Planner.plan(views.shards(), sight.loads(), now),
                Planner.plan(views.self(), Loads.NONE, now),
                List.copyOf(state.running().values()),
                stepping.progress());
    }

    /** The catalog as this driver knows it; {@link CatalogState#EMPTY} if it knows nothing. */
    public CatalogState state() {
        return state;
    }

    /** What is told once it is durable. */
    static final class Changes {
        final List<CatalogOperation> begun = new ArrayList<>();
        final List<PastOperation> ended = new ArrayList<>();
        final List<String> decided = new ArrayList<>();
    }

    private Scene scene(long now) {
        return new Scene(state, sight.members(), sight.nodes(), actions, settings, sinceMillis, now);
    }

    private void load(long now) throws CatalogException {
        try {
            CatalogState known = state;
            state = store.load(known);
            if (state != known) {
                stepping.forget();
            }
        } catch (CatalogException e) {
            forget();
            throw e;
        }
        if (sinceMillis < 0) {
            sinceMillis = now;
        }
        if (state.revision() == 0) {
            commit(initial.get().since(CatalogState.EMPTY));
        }
    }

    /** Writes a change down and tells about it; nothing happens if there is none. */
    private void commit(CatalogEdit edit, Changes changes, long now) throws CatalogException {
        if (!edit.isEmpty()) {
            commit(edit.toDelta(now));
        }
        changes.begun.forEach(events::began);
        changes.ended.forEach(events::ended);
        changes.decided.forEach(events::decided);
    }

    private void commit(CatalogDelta delta) throws CatalogException {
        boolean committed = false;
        try {
            state = store.commit(state, delta);
            committed = true;
        } finally {
            if (!committed) {
                forget();
            }
        }
    }

    /** Takes steps until there is nothing to write down, or {@code passes} are over; only what is written down counts. */
    private void advance(long now, int passes) throws CatalogException {
        for (int i = 0; i < passes && !state.running().isEmpty(); i++) {
            if (i > 0) {
                // Not longer than necessary on behalf of a catalog that another driver has taken over.
                load(now);
            }
            Changes changes = new Changes();
            CatalogEdit edit = stepping.pass(scene(now), changes);
            if (edit.isEmpty()) {
                return;
            }
            commit(edit, changes, now);
        }
    }

    private boolean begin(long now) throws CatalogException {
        Scene scene = scene(now);
        Views views = new Views(scene, sight.sizes());
        List<Plan.Step> steps =
                new ArrayList<>(Planner.plan(views.self(), Loads.NONE, now).operations());
        steps.removeIf(step -> step.operation() instanceof Operation.ReleaseNode);
        steps.addAll(Planner.plan(views.shards(), sight.loads(), now).operations());
        CatalogEdit edit = state.edit();
        Changes changes = new Changes();
        Admission admission = new Admission(scene);
        for (Plan.Step step : steps) {
            try {
                admission.admit(step.operation());
                begin(step.operation(), step.reason(), step.rule().name(), edit, changes, now);
            } catch (RefusedException e) {
                // What the planner does not see: it is planned again if it is still needed.
                stepping.refused(step.operation(), e);
            }
        }
        commit(edit, changes, now);
        return !changes.begun.isEmpty();
    }

    private long begin(Operation operation, String reason, String by, CatalogEdit edit, Changes changes, long now) {
        CatalogOperation.At at = Kinds.of(operation).begin(operation, edit, now);
        CatalogOperation begun = new CatalogOperation(edit.takeOperation(), operation, reason, by, now, at);
        edit.put(begun);
        changes.begun.add(begun);
        stepping.isNew(begun, now);
        return begun.id();
    }

    /** What follows from what is seen of the nodes, and of groups that the catalog does not know. */
    private void housekeep(long now) throws CatalogException {
        Scene scene = scene(now);
        CatalogEdit edit = state.edit();
        Changes changes = new Changes();
        Map<String, NodeState> gone = new TreeMap<>();
        Views views = new Views(scene, Map.of());
        for (NodeState node : views.nodes()) {
            CatalogNode known = state.nodes().get(node.name());
            NodeSight seen = scene.nodes().get(node.name());
            if (known != null && seen != null && seen.up()) {
                follow(known, seen, edit, changes, now);
            } else if (views.isLost(node)) {
                gone.put(node.name(), node);
            }
        }
        int staying = state.nodes().size() - gone.size();
        if (staying > 0 && state.settings().automation() != Automation.OFF) {
            gone.keySet().forEach(node -> leave(node, scene, edit, changes));
        }
        if (now - straysMillis >= settings.strayMillis()) {
            straysMillis = now;
            Strays.bury(scene, edit);
            for (Map.Entry<Integer, Members> stray : Strays.find(scene).entrySet()) {
                String decided = Strays.settle(stray.getKey(), stray.getValue(), scene, edit);
                if (decided != null) {
                    changes.decided.add(decided);
                    break;
                }
            }
        }
        commit(edit, changes, now);
    }

    private static void follow(CatalogNode known, NodeSight seen, CatalogEdit edit, Changes changes, long now) {
        CatalogNode next = known;
        if (known.lifecycle() == NodeState.Lifecycle.JOINING) {
            next = next.with(NodeState.Lifecycle.ACTIVE, now);
            changes.decided.add("node " + known.name() + " has joined");
        }
        if (!seen.zone().equals(known.zone())) {
            next = next.withZone(seen.zone());
            changes.decided.add("node " + known.name() + " is in zone '" + seen.zone() + "'");
        }
        if (!next.equals(known)) {
            edit.put(next);
        }
    }

    /** A node that is not coming back and has nothing any more is no member any more. */
    private void leave(String node, Scene scene, CatalogEdit edit, Changes changes) {
        boolean concerned =
                state.running().values().stream().anyMatch(operation -> Kinds.concerns(operation.operation(), node));
        if (!concerned && scene.whyNotEmpty(node) == null) {
            edit.removeNode(node);
            changes.decided.add("node " + node + " is gone and has nothing any more: it is no member any more");
        }
    }
}
