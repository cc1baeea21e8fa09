package io.elastickv.embedded.internal.raft;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells callers outcomes. Whoever asked may fail on the answer: neither the replica nor the next one is to suffer. */
final class Answers {

    private static final Logger LOG = LoggerFactory.getLogger(Answers.class);

    private final int groupId;

    Answers(int groupId) {
        this.groupId = groupId;
    }

    void tell(Runnable answer) {
        try {
            answer.run();
        } catch (RuntimeException | Error e) {
            notTaken(e);
        }
    }

    void notTaken(Throwable e) {
        LOG.error("group {}: whoever was told an outcome failed", groupId, e);
    }
}
