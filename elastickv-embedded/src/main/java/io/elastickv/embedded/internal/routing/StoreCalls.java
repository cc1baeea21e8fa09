package io.elastickv.embedded.internal.routing;

import io.elastickv.api.Bytes;
import io.elastickv.api.Condition;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.Expiry;
import io.elastickv.api.ExpiryCondition;
import io.elastickv.api.InvalidRequestException.Reason;
import io.elastickv.api.KeyInfo;
import io.elastickv.api.KeySlot;
import io.elastickv.api.PutOptions;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.VersionedValue;
import io.elastickv.api.WriteResult;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.ExpiryRule;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;

/** The operations of the API on single keys, as calls. */
final class StoreCalls {

    private StoreCalls() {}

    static Call<Optional<VersionedValue>> get(Bytes key, ReadConsistency consistency) {
        byte[] k = ApiMapping.checkKey(key);
        return ShardCalls.query(
                KeySlot.of(k),
                new Query.Get(k),
                consistency,
                QueryResult.Value.class,
                r -> ApiMapping.toApi(r.value()));
    }

    static Call<Optional<KeyInfo>> describe(Bytes key) {
        byte[] k = ApiMapping.checkKey(key);
        return ShardCalls.query(
                KeySlot.of(k),
                new Query.Describe(k),
                ReadConsistency.linearizable(),
                QueryResult.Described.class,
                r -> !r.exists()
                        ? Optional.empty()
                        : Optional.of(new KeyInfo(
                                r.version(),
                                r.valueLength(),
                                ApiMapping.instant(r.expiresAtMillis()),
                                r.expiresAtMillis() == 0
                                        ? Optional.empty()
                                        : Optional.of(Duration.ofMillis(r.timeToLiveMillis())))));
    }

    static <T> Call<T> put(Bytes key, Bytes value, PutOptions options, Function<CommandResult.Written, T> map) {
        byte[] k = ApiMapping.checkKey(key);
        byte[] v = ApiMapping.checkValue(value);
        int bytes = ApiMapping.checkCommandBytes((long) k.length + v.length + ApiMapping.bytesOf(options.condition()));
        Command command = new Command.Put(
                k,
                v,
                ApiMapping.toCommand(options.condition()),
                ApiMapping.toCommand(options.expiry()),
                options.returnsPrevious());
        return ShardCalls.command(KeySlot.of(k), command, bytes, CommandResult.Written.class, map);
    }

    static Call<WriteResult> compareAndSet(Bytes key, Condition condition, Bytes value) {
        return put(key, value, PutOptions.defaults().when(condition).expiry(Expiry.keep()), ApiMapping::toApi);
    }

    static <T> Call<T> delete(
            Bytes key, Condition condition, boolean returnPrevious, Function<CommandResult.Written, T> map) {
        byte[] k = ApiMapping.checkKey(key);
        int bytes = k.length + ApiMapping.bytesOf(condition);
        Command command = new Command.Delete(k, ApiMapping.toCommand(condition), returnPrevious);
        return ShardCalls.command(KeySlot.of(k), command, bytes, CommandResult.Written.class, map);
    }

    static Call<Long> increment(Bytes key, long delta) {
        byte[] k = ApiMapping.checkKey(key);
        int slot = KeySlot.of(k);
        return (router, deadlineNanos, completion) -> router.whenOpen(
                deadlineNanos,
                completion,
                () -> router.write(slot, new Command.Increment(k, delta), k.length, deadlineNanos, new Completion<>() {
                    @Override
                    public void success(CommandResult result) {
                        if (result instanceof CommandResult.Incremented incremented) {
                            completion.success(incremented.value());
                        } else if (result instanceof CommandResult.NotAnInteger) {
                            completion.failure(ApiMapping.invalid(
                                    Reason.NOT_AN_INTEGER,
                                    "the value of a key in slot " + slot + " is not a decimal 64-bit integer"));
                        } else if (result instanceof CommandResult.Overflow) {
                            completion.failure(ApiMapping.invalid(
                                    Reason.INTEGER_OVERFLOW,
                                    "adding " + delta + " to a key in slot " + slot + " would overflow"));
                        } else {
                            completion.failure(ShardCalls.unexpected(slot, result));
                        }
                    }

                    @Override
                    public void failure(ElastickvException failure) {
                        completion.failure(failure);
                    }
                }));
    }

    static Call<Boolean> expire(Bytes key, Expiry expiry, ExpiryCondition condition) {
        byte[] k = ApiMapping.checkKey(key);
        if (expiry instanceof Expiry.Keep) {
            throw ApiMapping.invalid(Reason.INVALID_ARGUMENT, "expiry = keep: expire() needs an expiry to set");
        }
        ExpiryRule rule = switch (condition) {
            case ALWAYS -> ExpiryRule.ALWAYS;
            case IF_NONE -> ExpiryRule.IF_NONE;
            case IF_ANY -> ExpiryRule.IF_ANY;
            case IF_LATER -> ExpiryRule.IF_LATER;
            case IF_EARLIER -> ExpiryRule.IF_EARLIER;
        };
        return ShardCalls.command(
                KeySlot.of(k),
                new Command.Expire(k, ApiMapping.toCommand(expiry), rule),
                k.length,
                CommandResult.Expired.class,
                CommandResult.Expired::applied);
    }
}
