package io.elastickv.embedded.internal.routing;

import io.elastickv.api.Bytes;
import io.elastickv.api.Condition;
import io.elastickv.api.Expiry;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.InvalidRequestException.Reason;
import io.elastickv.api.KeySlot;
import io.elastickv.api.Limits;
import io.elastickv.api.UnsafeBytes;
import io.elastickv.api.VersionedValue;
import io.elastickv.api.WriteResult;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.StoredValue;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Arguments of the API checked and made commands' parts; results of commands made the API's. */
final class ApiMapping {

    /** Below the 32 MiB that a message may have (see ChannelConfig), with room for the headers around it. */
    private static final int MAX_COMMAND_BYTES = 31 << 20;

    private ApiMapping() {}

    static boolean inOneSlot(List<byte[]> keys) {
        for (int i = 1; i < keys.size(); i++) {
            if (KeySlot.of(keys.get(i)) != KeySlot.of(keys.get(0))) {
                return false;
            }
        }
        return true;
    }

    static Precondition toCommand(Condition condition) {
        if (condition instanceof Condition.Absent) {
            return Precondition.ABSENT;
        } else if (condition instanceof Condition.Present) {
            return Precondition.PRESENT;
        } else if (condition instanceof Condition.VersionIs is) {
            return is.version() == 0 ? Precondition.ABSENT : new Precondition.VersionIs(is.version());
        } else if (condition instanceof Condition.ValueIs is) {
            return new Precondition.ValueIs(checkValue(is.value()));
        }
        return Precondition.ALWAYS;
    }

    static ExpiryChange toCommand(Expiry expiry) {
        if (expiry instanceof Expiry.Keep) {
            return ExpiryChange.KEEP;
        } else if (expiry instanceof Expiry.After after) {
            return new ExpiryChange.After(after.duration().toMillis());
        } else if (expiry instanceof Expiry.At at) {
            return new ExpiryChange.At(millis(at.instant()));
        }
        return ExpiryChange.NEVER;
    }

    static long millis(Instant instant) {
        try {
            return instant.toEpochMilli();
        } catch (ArithmeticException e) {
            throw invalid(Reason.INVALID_ARGUMENT, "expiry = " + instant + ": beyond what milliseconds can say");
        }
    }

    static WriteResult toApi(CommandResult.Written written) {
        return new WriteResult(written.applied(), written.version(), toApi(written.previous()));
    }

    static Optional<VersionedValue> toApi(@Nullable StoredValue value) {
        return value == null ? Optional.empty() : Optional.of(toApiValue(value));
    }

    static VersionedValue toApiValue(StoredValue value) {
        return new VersionedValue(UnsafeBytes.wrap(value.value()), value.version(), instant(value.expiresAtMillis()));
    }

    static Optional<Instant> instant(long millis) {
        return millis == 0 ? Optional.empty() : Optional.of(Instant.ofEpochMilli(millis));
    }

    static List<Bytes> wrapAll(List<byte[]> keys) {
        List<Bytes> wrapped = new ArrayList<>(keys.size());
        for (byte[] key : keys) {
            wrapped.add(UnsafeBytes.wrap(key));
        }
        return Collections.unmodifiableList(wrapped);
    }

    // ---- checks

    static byte[] checkKey(Bytes key) {
        byte[] bytes = UnsafeBytes.array(key);
        if (bytes.length == 0 || bytes.length > Limits.MAX_KEY_BYTES) {
            throw invalid(
                    Reason.INVALID_ARGUMENT,
                    "key length = " + bytes.length + " bytes: must be within 1-" + Limits.MAX_KEY_BYTES);
        }
        return bytes;
    }

    static byte[] checkValue(Bytes value) {
        byte[] bytes = UnsafeBytes.array(value);
        if (bytes.length > Limits.MAX_VALUE_BYTES) {
            throw invalid(
                    Reason.INVALID_ARGUMENT,
                    "value length = " + bytes.length + " bytes: must be at most " + Limits.MAX_VALUE_BYTES);
        }
        return bytes;
    }

    static void checkBatchBytes(long bytes) {
        // A single largest value with the longest key must pass.
        if (bytes > Limits.MAX_BATCH_BYTES + Limits.MAX_KEY_BYTES) {
            throw invalid(
                    Reason.INVALID_ARGUMENT,
                    "batch = " + bytes + " bytes in one slot: must be at most " + Limits.MAX_BATCH_BYTES);
        }
    }

    /** What a condition carries. */
    static int bytesOf(Condition condition) {
        return condition instanceof Condition.ValueIs is ? is.value().length() : 0;
    }

    /** A command on one key must fit into a message between nodes. */
    static int checkCommandBytes(long bytes) {
        if (bytes > MAX_COMMAND_BYTES) {
            throw invalid(
                    Reason.INVALID_ARGUMENT,
                    "key, value and expected value have " + bytes + " bytes: must be at most " + MAX_COMMAND_BYTES
                            + " together");
        }
        return (int) bytes;
    }

    static void checkSlot(int slot) {
        if (slot < 0 || slot >= KeySlot.COUNT) {
            throw invalid(Reason.INVALID_ARGUMENT, "slot = " + slot + ": must be within 0-" + (KeySlot.COUNT - 1));
        }
    }

    static InvalidRequestException invalid(Reason reason, String message) {
        return new InvalidRequestException(reason, message);
    }
}
