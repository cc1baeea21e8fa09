package io.elastickv.embedded.internal.shard;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.StoredValue;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;

/** A machine that owns all slots, with a log position and a clock that tests move. */
final class ShardFixture implements AutoCloseable {

    static final StorageOptions SMALL = new StorageOptions(2048, 64, 2, 64);

    final ShardStateMachine machine;
    long index;
    long nowMillis = 1_000;

    ShardFixture(StorageEngine engine) {
        this(engine, SMALL, SlotRanges.of(0, 16383));
    }

    ShardFixture(StorageEngine engine, StorageOptions options, SlotRanges owned) {
        machine = ShardStateMachine.create(1, 7, owned, engine, options);
    }

    CommandResult apply(Command command) {
        return apply(0, 0, 0, command);
    }

    CommandResult apply(long session, long sequence, long ackedBelow, Command command) {
        byte[] encoded = CommandCodec.encode(new Envelope(session, sequence, ackedBelow, 0, command));
        CommandCodec.stampTime(encoded, nowMillis);
        return machine.apply(++index, encoded);
    }

    CommandResult put(String key, String value) {
        return apply(new Command.Put(b(key), b(value), Precondition.ALWAYS, ExpiryChange.NEVER, false));
    }

    CommandResult put(String key, String value, ExpiryChange expiry) {
        return apply(new Command.Put(b(key), b(value), Precondition.ALWAYS, expiry, false));
    }

    QueryResult query(Query query) {
        return machine.query(query, nowMillis);
    }

    String get(String key) {
        StoredValue value = ((QueryResult.Value) query(new Query.Get(b(key)))).value();
        return value == null ? null : new String(value.value(), UTF_8);
    }

    static byte[] b(String text) {
        return text.getBytes(UTF_8);
    }

    @Override
    public void close() {
        machine.close();
    }
}
