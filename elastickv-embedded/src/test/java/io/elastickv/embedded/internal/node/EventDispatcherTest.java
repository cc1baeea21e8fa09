package io.elastickv.embedded.internal.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.ClusterEvents;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class EventDispatcherTest {

    private static final class Listener implements ClusterEvents {
        final List<String> told = new ArrayList<>();

        @Override
        public void nodeJoined(String node) {
            told.add(node);
        }
    }

    @Test
    void aRefusalOfTheExecutorLosesItsEventsAndNotTheLaterOnes() {
        AtomicBoolean refuses = new AtomicBoolean(true);
        EventDispatcher dispatcher = new EventDispatcher(task -> {
            if (refuses.get()) {
                throw new RejectedExecutionException("full");
            }
            task.run();
        });
        Listener listener = new Listener();
        dispatcher.add(listener);
        dispatcher.fire(each -> each.nodeJoined("lost"));
        refuses.set(false);
        dispatcher.fire(each -> each.nodeJoined("n2"));
        assertThat(listener.told).containsExactly("n2");
    }

    @Test
    void whatConcernsOneListenerIsToldToThatOneAlone() {
        EventDispatcher dispatcher = new EventDispatcher(Runnable::run);
        Listener early = new Listener();
        Listener late = new Listener();
        dispatcher.add(early);
        dispatcher.add(late);
        dispatcher.fireTo(late, each -> each.nodeJoined("n1"));
        assertThat(early.told).isEmpty();
        assertThat(late.told).containsExactly("n1");
    }
}
