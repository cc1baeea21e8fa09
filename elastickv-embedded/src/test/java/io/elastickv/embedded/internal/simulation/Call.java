package io.elastickv.embedded.internal.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.Query;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a client wants.
 *
 * @param expected of a compare-and-set: what the key must hold; null if it must be absent
 * @param value of what writes: what is written
 */
record Call(
        Kind kind,
        Keys.Key key,
        @Nullable String expected,
        @Nullable String value,
        long ttlMillis) {

    enum Kind {
        GET,
        PUT,
        CAS,
        DELETE,
        INCREMENT,
        GET_PAIR,
        PUT_PAIR,
        /** A command for a key of another group: it must be refused at apply. */
        MISROUTED;

        boolean reads() {
            return this == GET || this == GET_PAIR;
        }
    }

    Query query() {
        return kind == Kind.GET ? new Query.Get(key.bytes()) : new Query.GetMany(List.of(key.bytes(), key.twin()));
    }

    Command command() {
        return switch (kind) {
            case PUT, MISROUTED -> put(key.bytes(), Precondition.ALWAYS);
            case CAS ->
                put(
                        key.bytes(),
                        expected == null ? Precondition.ABSENT : new Precondition.ValueIs(expected.getBytes(UTF_8)));
            case DELETE -> new Command.Delete(key.bytes(), Precondition.ALWAYS, value != null);
            case INCREMENT -> new Command.Increment(key.bytes(), 1);
            case PUT_PAIR ->
                new Command.AtomicBatch(
                        List.of(),
                        List.of(put(key.bytes(), Precondition.ALWAYS), put(key.twin(), Precondition.ALWAYS)));
            default -> throw new IllegalStateException(kind + " is no command");
        };
    }

    private Command.Put put(byte[] bytes, Precondition condition) {
        byte[] written = value == null ? new byte[0] : value.getBytes(UTF_8);
        ExpiryChange expiry = ttlMillis > 0 ? new ExpiryChange.After(ttlMillis) : ExpiryChange.NEVER;
        return new Command.Put(bytes, written, condition, expiry, false);
    }
}
