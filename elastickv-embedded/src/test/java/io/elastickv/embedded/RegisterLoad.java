package io.elastickv.embedded;

import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.NotAppliedException;
import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.api.VersionedValue;
import io.elastickv.embedded.history.HistoryRecorder;
import io.elastickv.embedded.history.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;

/** Clients that read, write, compare-and-set and delete a few keys through all running members, each thread through one as long as it runs, and write down what they see. */
final class RegisterLoad implements AutoCloseable {

    private final Supplier<List<ElastickvNode>> nodes;
    private final Duration timeout;
    private final int keys;
    private final String writer;
    private final String keyPrefix;
    private final HistoryRecorder recorder;
    private final List<Thread> threads = new ArrayList<>();
    private final Queue<Throwable> unexpected = new ConcurrentLinkedQueue<>();
    private volatile boolean stop;

    RegisterLoad(Supplier<List<ElastickvNode>> nodes, long seed, int clients, int keys, Duration timeout) {
        this(nodes, seed, clients, keys, timeout, "", "r", new HistoryRecorder());
    }

    /**
     * A load beside others on the same keys.
     *
     * @param writer in all values that it writes; must be another for each load
     * @param keyPrefix what the keys begin with
     */
    RegisterLoad(
            Supplier<List<ElastickvNode>> nodes,
            long seed,
            int clients,
            int keys,
            Duration timeout,
            String writer,
            String keyPrefix,
            HistoryRecorder recorder) {
        this.nodes = nodes;
        this.timeout = timeout;
        this.keys = keys;
        this.writer = writer;
        this.keyPrefix = keyPrefix;
        this.recorder = recorder;
        SplittableRandom random = new SplittableRandom(seed);
        for (int c = 0; c < clients; c++) {
            SplittableRandom own = random.split();
            int number = c;
            Thread thread = new Thread(() -> run(number, own), "register-load-" + c);
            threads.add(thread);
            thread.start();
        }
    }

    private void run(int number, SplittableRandom random) {
        HistoryRecorder.Client client = recorder.client();
        VersionedValue last = null;
        String lastKey = "";
        for (int i = 0; !stop; i++) {
            List<ElastickvNode> running = nodes.get();
            if (running.isEmpty()) {
                Thread.onSpinWait();
                continue;
            }
            KeyValueStore store = running.get(number % running.size()).store().withTimeout(timeout);
            String key = keyPrefix + random.nextInt(keys);
            Bytes name = Bytes.utf8(key);
            String text = writer + number + "." + i; // never written twice, so a read tells which write it saw
            Bytes value = Bytes.utf8(text);
            int dice = random.nextInt(100);
            HistoryRecorder.Call call = null;
            try {
                if (dice < 50) {
                    call = client.read(key);
                    Optional<VersionedValue> seen = store.get(name);
                    call.saw(seen.map(v -> v.value().toUtf8()).orElse(null));
                    last = seen.orElse(null);
                    lastKey = key;
                } else if (dice < 80) {
                    call = client.write(key, text);
                    store.put(name, value);
                    call.done();
                } else if (dice < 95) {
                    // By value and by version means the same here, since no value comes twice.
                    String expected = last == null ? null : last.value().toUtf8();
                    call = client.cas(lastKey.isEmpty() ? key : lastKey, expected, text);
                    Bytes target = Bytes.utf8(lastKey.isEmpty() ? key : lastKey);
                    boolean done = last == null
                            ? store.putIfAbsent(target, value)
                            : random.nextBoolean()
                                    ? store.compareAndSet(target, last.version(), value)
                                            .applied()
                                    : store.compareAndSet(target, last.value(), value)
                                            .applied();
                    call.done(done);
                } else {
                    call = client.delete(key);
                    call.done(store.delete(name));
                }
            } catch (NotAppliedException e) {
                call.notApplied();
            } catch (OutcomeUnknownException e) {
                call.unknown();
            } catch (RuntimeException | Error e) {
                unexpected.add(e);
                return;
            }
        }
    }

    /** Ends the load; what it has seen. */
    List<Operation> stop() {
        close();
        if (!unexpected.isEmpty()) {
            throw new AssertionError("an operation ended in no way that is documented", unexpected.peek());
        }
        return recorder.history();
    }

    @Override
    public void close() {
        stop = true;
        for (Thread thread : threads) {
            try {
                thread.join(30_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            if (thread.isAlive()) {
                throw new AssertionError(thread.getName() + " hangs: " + List.of(thread.getStackTrace()));
            }
        }
    }
}
