package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.PlacementDriver.Changes;
import io.elastickv.embedded.internal.placement.plan.Operation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes one step of each operation that is running, and puts together what that changes in the catalog. */
final class Stepping {

    private static final Logger LOG = LoggerFactory.getLogger(Stepping.class);
    private static final String STALLED = "no progress for ";

    private final Executor executor;
    private final Map<Long, Attempt> attempts = new TreeMap<>();

    Stepping(Executor executor) {
        this.executor = executor;
    }

    /** Forgets what was tried: whatever another driver has asked for since may still happen. */
    void forget() {
        attempts.clear();
    }

    /** Nobody has tried it yet. */
    void isNew(CatalogOperation operation, long now) {
        attempts.put(operation.id(), new Attempt(operation.at().number(), true, now));
    }

    void refused(Operation operation, RefusedException why) {
        LOG.debug("not begun: {}: {}", Words.of(operation), why.getMessage());
    }

    /** By the numbers of the operations, how far they are. */
    Map<Long, String> progress() {
        Map<Long, String> progress = new TreeMap<>();
        attempts.forEach((id, attempt) -> progress.put(id, attempt.text()));
        return progress;
    }

    /** One step of each. */
    CatalogEdit pass(Scene scene, Changes changes) {
        attempts.keySet().retainAll(scene.catalog().running().keySet());
        Map<CatalogOperation, CompletableFuture<Advance>> results = new LinkedHashMap<>();
        for (CatalogOperation operation : scene.catalog().running().values()) {
            Attempt attempt = attempt(operation, scene.now());
            results.put(operation, CompletableFuture.supplyAsync(() -> step(operation, scene, attempt), executor));
        }
        List<Map.Entry<CatalogOperation, Advance>> advances = new ArrayList<>();
        results.forEach((operation, result) -> advances.add(Map.entry(operation, joined(result))));
        if (!fit(advances, scene)) {
            // One of them would make the catalog contradict itself; it must not keep the others from going on.
            advances.replaceAll(one -> Map.entry(one.getKey(), valid(one, scene)));
        }
        CatalogEdit edit = scene.catalog().edit();
        for (Map.Entry<CatalogOperation, Advance> advance : advances) {
            take(advance.getKey(), advance.getValue(), scene, edit, changes);
        }
        return edit;
    }

    private static Advance joined(CompletableFuture<Advance> result) {
        try {
            return result.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e;
        }
    }

    private static boolean fit(List<Map.Entry<CatalogOperation, Advance>> advances, Scene scene) {
        CatalogEdit all = scene.catalog().edit();
        advances.forEach(one -> take(one.getKey(), one.getValue(), scene, all));
        try {
            if (!all.isEmpty()) {
                scene.catalog().apply(all.toDelta(scene.now()));
            }
            return true;
        } catch (IllegalArgumentException e) {
            LOG.error("what operations led to cannot be written down", e);
            return false;
        }
    }

    /**
     * Has an operation given up.
     *
     * @throws RefusedException if there is none of this number, or it can only go forward
     */
    void abandon(long id, Scene scene, CatalogEdit edit, Changes changes) throws RefusedException {
        CatalogOperation operation = scene.catalog().running().get(id);
        if (operation == null) {
            throw new RefusedException("no operation " + id + " is running");
        }
        Attempt attempt = attempt(operation, scene.now());
        Advance advance =
                Kinds.of(operation.operation()).giveUp(operation, scene, attempt, "an operator has abandoned it");
        if (advance.stays()) {
            throw new RefusedException("operation " + id + " can only go forward from where it is ("
                    + operation.at().phase() + "), or it is not known yet whether it can be undone");
        }
        take(operation, advance, scene, edit, changes);
    }

    private Attempt attempt(CatalogOperation operation, long now) {
        Attempt known = attempts.get(operation.id());
        if (known == null || known.number() != operation.at().number()) {
            known = new Attempt(operation.at().number(), false, now);
            attempts.put(operation.id(), known);
        }
        return known;
    }

    private static Advance step(CatalogOperation operation, Scene scene, Attempt attempt) {
        Steps steps = Kinds.of(operation.operation());
        try {
            Advance advance = steps.step(operation, scene, attempt);
            long limit = Kinds.limitMillis(operation, scene.settings());
            if (!advance.stays() || !attempt.hasStalled(limit, scene.now())) {
                return advance;
            }
            String why = STALLED + limit / 1000 + " s" + (attempt.text().isEmpty() ? "" : ": " + attempt.text());
            advance = steps.giveUp(operation, scene, attempt, why);
            if (advance.stays() && !operation.at().note().startsWith(STALLED)) {
                LOG.warn(
                        "operation {} can only go forward: {}: {}",
                        operation.id(),
                        Words.of(operation.operation()),
                        why);
                return Advance.to(operation.at().noting(why));
            }
            return advance;
        } catch (RuntimeException e) {
            LOG.error("operation {}: {}: a step failed", operation.id(), Words.of(operation.operation()), e);
            return Advance.STAY;
        }
    }

    private static Advance valid(Map.Entry<CatalogOperation, Advance> one, Scene scene) {
        return fit(List.of(one), scene)
                ? one.getValue()
                : Advance.failed("what it led to contradicts the rest of the catalog", edit -> {});
    }

    private void take(CatalogOperation operation, Advance advance, Scene scene, CatalogEdit edit, Changes changes) {
        take(operation, advance, scene, edit).forEach(past -> {
            changes.ended.add(past);
            attempts.remove(past.id());
        });
        if (advance.next() != null && !isSame(operation, edit)) {
            attempts.put(operation.id(), new Attempt(operation.at().number() + 1, true, scene.now()));
        }
    }

    private static boolean isSame(CatalogOperation operation, CatalogEdit edit) {
        CatalogOperation after = edit.operation(operation.id());
        return after != null && after.at().number() == operation.at().number();
    }

    private static List<PastOperation> take(
            CatalogOperation operation, Advance advance, Scene scene, CatalogEdit edit) {
        Function<CatalogEdit, CatalogOperation.At> next = advance.next();
        if (next != null) {
            edit.put(operation.at(next.apply(edit)));
        }
        advance.change().accept(edit);
        if (advance.outcome() == null) {
            return List.of();
        }
        PastOperation past = operation.ended(advance.outcome(), advance.why(), scene.now());
        edit.end(past);
        return List.of(past);
    }
}
