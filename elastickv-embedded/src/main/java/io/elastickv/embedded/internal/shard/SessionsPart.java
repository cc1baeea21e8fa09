package io.elastickv.embedded.internal.shard;

import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.MalformedCommandException;
import io.elastickv.embedded.internal.command.ResultCodec;
import io.elastickv.embedded.internal.storage.CheckpointFile;
import io.elastickv.embedded.internal.storage.CheckpointInput;
import io.elastickv.embedded.internal.storage.CheckpointOutput;
import io.elastickv.embedded.internal.storage.CheckpointSource;
import io.elastickv.embedded.internal.storage.SlotSpan;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The sessions in a checkpoint: a file of its own, written anew each time. Contents, all numbers varints (version 1): for each
 * session, the one used longest ago first: id, time of the last use, floor, last sequence minus floor plus one, number of
 * results; for each result: sequence minus floor, its number among the results that carry values (0 for those that carry
 * none), length, the result as {@link ResultCodec} encodes it.
 */
final class SessionsPart implements CheckpointSource.Part {

    private static final int RESULTS_PER_STEP = 4096;

    private final StateCapture owner;
    private final SlotSpan slots;
    private final long index;
    private volatile List<SessionTable.Captured> sessions;
    /** Of the next session; pass only. */
    private int next;

    SessionsPart(StateCapture owner, SlotSpan slots, long index, List<SessionTable.Captured> sessions) {
        this.owner = owner;
        this.slots = slots;
        this.index = index;
        this.sessions = sessions;
    }

    @Override
    public CheckpointFile.Kind kind() {
        return CheckpointFile.Kind.SESSIONS;
    }

    @Override
    public SlotSpan slots() {
        return slots;
    }

    @Override
    public long lastChange() {
        return index;
    }

    @Override
    public long keys() {
        return 0;
    }

    @Override
    public boolean step(CheckpointOutput out) throws IOException {
        List<SessionTable.Captured> all = sessions;
        int results = 0;
        while (next < all.size() && results < RESULTS_PER_STEP) {
            results += 1 + write(all.get(next++), out);
        }
        boolean more = next < all.size();
        owner.checkAlive(); // or what was taken for all was what is left after the end
        if (!more) {
            release();
        }
        return more;
    }

    @Override
    public void release() {
        sessions = List.of();
    }

    private static int write(SessionTable.Captured session, CheckpointOutput out) throws IOException {
        record Result(long sequence, long payloadOrder, CommandResult result) {}
        SessionResults results = session.results();
        List<Result> found = new ArrayList<>();
        results.forEach((sequence, result, order) -> found.add(new Result(sequence, order, result)));
        out.putVarint(session.id());
        out.putVarint(results.lastUseMillis);
        out.putVarint(results.floor);
        out.putVarint(results.last - results.floor + 1);
        out.putVarint(found.size());
        for (Result result : found) {
            byte[] encoded = ResultCodec.encode(result.result());
            out.putVarint(result.sequence() - results.floor);
            out.putVarint(result.payloadOrder());
            out.putVarint(encoded.length);
            out.putBytes(encoded, 0, encoded.length);
        }
        return found.size();
    }

    /** Reads what was written into an empty table. */
    static SessionTable read(CheckpointInput in, SessionLimits limits) throws IOException {
        SessionTable table = new SessionTable(limits);
        while (in.hasMore()) {
            long id = in.getNumber(Long.MAX_VALUE);
            long lastUseMillis = in.getNumber(Long.MAX_VALUE);
            long floor = in.getNumber(Long.MAX_VALUE - limits.maxResultsPerSession());
            long span = in.getNumber(limits.maxResultsPerSession());
            SessionResults results = new SessionResults(0, lastUseMillis, floor, floor + span - 1);
            long count = in.getNumber(span);
            long least = 0;
            for (long i = 0; i < count; i++) {
                long offset = in.getNumber(span - 1);
                if (offset < least) {
                    throw in.damaged("results out of order");
                }
                least = offset + 1;
                long payloadOrder = in.getNumber(Long.MAX_VALUE);
                CommandResult result = decode(in);
                if (SessionTable.carriesValues(result) != payloadOrder > 0) {
                    throw in.damaged("a result without its place in the order, or with one that it has not");
                }
                results.put(floor + offset, result, payloadOrder);
            }
            table.restore(new SessionTable.Captured(id, results));
        }
        table.restorePayloads();
        return table;
    }

    private static CommandResult decode(CheckpointInput in) throws IOException {
        try {
            return ResultCodec.decode(in.getBytes(in.getLength(Integer.MAX_VALUE - 8)));
        } catch (MalformedCommandException e) {
            throw in.damaged(String.valueOf(e.getMessage()));
        }
    }
}
