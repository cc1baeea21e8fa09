package io.elastickv.embedded.internal.routing;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.Batch;
import io.elastickv.api.BatchResult;
import io.elastickv.api.Bytes;
import io.elastickv.api.Condition;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.Expiry;
import io.elastickv.api.ExpiryCondition;
import io.elastickv.api.KeyInfo;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.MultiGetResult;
import io.elastickv.api.MultiPutResult;
import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.api.PutOptions;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.ScanCursor;
import io.elastickv.api.ScanPage;
import io.elastickv.api.UnavailableException;
import io.elastickv.api.VersionedValue;
import io.elastickv.api.WriteResult;
import io.elastickv.embedded.internal.command.CommandResult;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The blocking view: the caller's thread waits for the loop itself, without another hand-over. */
final class BlockingStore implements KeyValueStore {

    private final Store store;

    BlockingStore(Store store) {
        this.store = store;
    }

    @Override
    public AsyncKeyValueStore async() {
        return store.async();
    }

    @Override
    public KeyValueStore withTimeout(Duration timeout) {
        return store.withTimeout(timeout).blocking();
    }

    private <T extends @Nullable Object> T run(Call<T> call, boolean changes) {
        Waiter<T> waiter = new Waiter<>(changes);
        store.start(call, waiter);
        return waiter.await();
    }

    /** A caller's thread, waiting. */
    private static final class Waiter<T extends @Nullable Object> implements Completion<T> {

        private final Thread thread = Thread.currentThread();
        private final boolean changes;
        private @Nullable T result;
        private @Nullable ElastickvException failure;
        private volatile boolean done;

        Waiter(boolean changes) {
            this.changes = changes;
        }

        @Override
        public void success(T value) {
            result = value;
            done = true;
            LockSupport.unpark(thread);
        }

        @Override
        public void failure(ElastickvException cause) {
            failure = cause;
            done = true;
            LockSupport.unpark(thread);
        }

        @SuppressWarnings("NullAway") // result is set when done without a failure; T itself may be nullable
        T await() {
            while (!done) {
                LockSupport.park(this);
                if (Thread.currentThread().isInterrupted() && !done) {
                    String message = "the waiting thread was interrupted";
                    throw changes ? new OutcomeUnknownException(message) : new UnavailableException(message);
                }
            }
            ElastickvException cause = failure;
            if (cause != null) {
                // The stack of the caller is what helps, and it is not the loop's.
                cause.setStackTrace(Thread.currentThread().getStackTrace());
                throw cause;
            }
            return result;
        }
    }

    @Override
    public Optional<VersionedValue> get(Bytes key) {
        return run(StoreCalls.get(key, ReadConsistency.linearizable()), false);
    }

    @Override
    public Optional<VersionedValue> get(Bytes key, ReadConsistency consistency) {
        return run(StoreCalls.get(key, consistency), false);
    }

    @Override
    public Optional<KeyInfo> describe(Bytes key) {
        return run(StoreCalls.describe(key), false);
    }

    @Override
    public MultiGetResult getAll(Collection<Bytes> keys) {
        return run(MultiKeyCalls.getAll(keys), false);
    }

    @Override
    public long put(Bytes key, Bytes value) {
        return run(StoreCalls.put(key, value, PutOptions.defaults(), CommandResult.Written::version), true);
    }

    @Override
    public WriteResult put(Bytes key, Bytes value, PutOptions options) {
        return run(StoreCalls.put(key, value, options, ApiMapping::toApi), true);
    }

    @Override
    public boolean putIfAbsent(Bytes key, Bytes value) {
        return run(
                StoreCalls.put(
                        key, value, PutOptions.defaults().when(Condition.absent()), CommandResult.Written::applied),
                true);
    }

    @Override
    public Optional<VersionedValue> getAndPut(Bytes key, Bytes value) {
        return run(
                StoreCalls.put(
                        key,
                        value,
                        PutOptions.defaults().returnPrevious(),
                        written -> ApiMapping.toApi(written.previous())),
                true);
    }

    @Override
    public WriteResult compareAndSet(Bytes key, long expectedVersion, Bytes value) {
        return run(StoreCalls.compareAndSet(key, Condition.versionIs(expectedVersion), value), true);
    }

    @Override
    public WriteResult compareAndSet(Bytes key, Bytes expectedValue, Bytes value) {
        return run(StoreCalls.compareAndSet(key, Condition.valueIs(expectedValue), value), true);
    }

    @Override
    public boolean delete(Bytes key) {
        return run(StoreCalls.delete(key, Condition.always(), false, CommandResult.Written::applied), true);
    }

    @Override
    public WriteResult delete(Bytes key, Condition condition) {
        return run(StoreCalls.delete(key, condition, false, ApiMapping::toApi), true);
    }

    @Override
    public Optional<VersionedValue> getAndDelete(Bytes key) {
        return run(
                StoreCalls.delete(key, Condition.always(), true, written -> ApiMapping.toApi(written.previous())),
                true);
    }

    @Override
    public long increment(Bytes key, long delta) {
        return run(StoreCalls.increment(key, delta), true);
    }

    @Override
    public boolean expire(Bytes key, Duration duration) {
        return run(StoreCalls.expire(key, Expiry.after(duration), ExpiryCondition.ALWAYS), true);
    }

    @Override
    public boolean expire(Bytes key, Expiry expiry, ExpiryCondition condition) {
        return run(StoreCalls.expire(key, expiry, condition), true);
    }

    @Override
    public boolean persist(Bytes key) {
        return run(StoreCalls.expire(key, Expiry.never(), ExpiryCondition.IF_ANY), true);
    }

    @Override
    public MultiPutResult putAll(Map<Bytes, Bytes> entries) {
        return run(MultiKeyCalls.putAll(entries), true);
    }

    @Override
    public long deleteAll(Collection<Bytes> keys) {
        return run(MultiKeyCalls.deleteAll(keys), true);
    }

    @Override
    public BatchResult execute(Batch batch) {
        return run(MultiKeyCalls.execute(batch), true);
    }

    @Override
    public ScanPage scan(ScanCursor cursor, int limit) {
        return run(ScanCalls.scan(cursor, limit), false);
    }

    @Override
    public long size() {
        return run(ScanCalls.size(), false);
    }

    @Override
    public long sizeOfSlot(int slot) {
        return run(ScanCalls.sizeOfSlot(slot), false);
    }

    @Override
    public List<Bytes> keysOfSlot(int slot, int limit) {
        return run(ScanCalls.keysOfSlot(slot, limit), false);
    }

    @Override
    public Optional<Bytes> randomKey() {
        return run(ScanCalls.randomKey(), false);
    }

    @Override
    public void clear() {
        run(ScanCalls.clear(), true);
    }
}
