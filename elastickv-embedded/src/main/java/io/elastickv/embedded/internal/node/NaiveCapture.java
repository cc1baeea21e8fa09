package io.elastickv.embedded.internal.node;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.backup.CapturedState;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.ScanPosition;
import io.elastickv.embedded.internal.command.StoredValue;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.shard.SlotRanges;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** TEMPORARY, until state captures are there: a copy made on the loop. */
final class NaiveCapture implements CapturedState {

    private record Entry(byte[] key, StoredValue value) {}

    private final List<Entry> entries = new ArrayList<>();
    private final long index;
    private final long time;

    NaiveCapture(ShardStateMachine machine, SlotRanges slots) {
        index = machine.appliedIndex();
        time = machine.logTimeMillis();
        for (int slot = slots.first(); slot <= slots.last(); slot++) {
            QueryResult count = machine.queryLocal(new Query.SlotSize(slot), time);
            if (count instanceof QueryResult.Count c && c.count() == 0) {
                continue;
            }
            QueryResult result = machine.queryLocal(new Query.SlotKeys(slot, 1_000_000), time);
            if (result instanceof QueryResult.Keys keys) {
                for (byte[] key : keys.keys()) {
                    QueryResult value = machine.queryLocal(new Query.Get(key), time);
                    if (value instanceof QueryResult.Value v && v.value() != null) {
                        entries.add(new Entry(key, v.value()));
                    }
                }
            }
        }
    }

    @Override
    public long index() {
        return index;
    }

    @Override
    public long logTimeMillis() {
        return time;
    }

    @Override
    public boolean step(EntryVisitor visitor) throws IOException {
        for (Entry entry : entries) {
            visitor.visit(entry.key, entry.value.value(), entry.value.expiresAtMillis());
        }
        return false;
    }

    @Override
    public void close() {}
}
