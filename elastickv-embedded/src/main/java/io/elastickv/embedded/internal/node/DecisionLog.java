package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.CatalogOperation;
import io.elastickv.embedded.internal.placement.EventSink;
import io.elastickv.embedded.internal.placement.PastOperation;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes what the placement's driver decides to the log of the node that it runs on. */
final class DecisionLog implements EventSink {

    private static final Logger LOG = LoggerFactory.getLogger("io.elastickv.placement");

    private final String self;

    DecisionLog(String self) {
        this.self = self;
    }

    @Override
    public void began(CatalogOperation operation) {
        LOG.info(
                "node {}: operation {} begins: {} ({}: {})",
                self,
                operation.id(),
                Operations.of(operation).what(),
                operation.by(),
                operation.reason());
    }

    @Override
    public void ended(PastOperation operation) {
        LOG.info(
                "node {}: operation {} is {} after {} ms: {}{}",
                self,
                operation.id(),
                operation.outcome(),
                operation.endedMillis() - operation.startedMillis(),
                Operations.of(operation).what(),
                operation.why().isEmpty() ? "" : ": " + operation.why());
    }

    @Override
    public void decided(String what) {
        LOG.info("node {}: {}", self, what);
    }
}
