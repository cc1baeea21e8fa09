package io.elastickv.embedded.internal.shard;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.Piece;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.StoredValue;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.storage.GivenSlots;
import io.elastickv.embedded.internal.storage.ShardStore;
import io.elastickv.embedded.internal.storage.SlotMovedException;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageException;
import io.elastickv.embedded.internal.storage.StorageOptions;
import io.elastickv.embedded.internal.storage.StoreLoader;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a shard's log does: {@link #apply} is a deterministic function of the entries before and the entry. One thread
 * applies; any number query beside it.
 *
 * <p>Time is the log's time: the largest of all times that envelopes carried so far. It alone decides at apply whether a
 * key has expired; an expired key is absent for every command.
 */
public final class ShardStateMachine implements AutoCloseable {

    private static final CommandResult DONE = new CommandResult.Done();

    private static final Logger LOG = LoggerFactory.getLogger(ShardStateMachine.class);

    private static final long DEFAULT_CAPTURE_BYTES = 128L << 20;

    /** Room for half a million shards, and for 2^44 entries of each one's log. */
    private static final int SESSION_SHARD_BITS = 19;

    /** What an installed state replaces as a whole. */
    private static final class State {

        final long epoch;
        final SlotRanges owned;
        final ShardStore store;
        final SessionTable sessions;
        /** Versions are indexes of the log and so much, as other shards gave versions in slots that were taken in. */
        final long versionOffset;

        final @Nullable GivenPiece given;
        final CommandExecutor executor;
        final QueryExecutor queries;

        State(
                long epoch,
                SlotRanges owned,
                ShardStore store,
                SessionTable sessions,
                LoadMeter meter,
                long versionOffset,
                @Nullable GivenPiece given) {
            this.epoch = epoch;
            this.owned = owned;
            this.store = store;
            this.sessions = sessions;
            this.versionOffset = versionOffset;
            this.given = given;
            this.executor = new CommandExecutor(epoch, owned, store, meter);
            this.queries = new QueryExecutor(epoch, owned, store, meter);
        }
    }

    private final int shardId;
    private final SessionLimits limits;
    private final LoadMeter meter;
    /** Written by the apply thread only. */
    private volatile State state;

    private final AtomicLong appliedIndex = new AtomicLong();
    /** Set before the first entry is applied. */
    private SplitHost splitHost = SplitHost.NONE;
    /** Shards split off whose state still depends on the log. */
    private final Set<Integer> unsafeChildren = ConcurrentHashMap.newKeySet();

    /**
     * A machine with nothing applied.
     *
     * @param shardId for messages
     * @param epoch of the ownership, carried by answers about slots that are not owned
     * @param owned the slots of the shard
     * @param store empty; passes to the machine, which closes it
     * @param limits of what is remembered for retries; equal on all replicas
     */
    public ShardStateMachine(int shardId, long epoch, SlotRanges owned, ShardStore store, SessionLimits limits) {
        this.shardId = shardId;
        this.limits = limits;
        this.meter = new LoadMeter(owned.first(), owned.last());
        this.state = new State(epoch, owned, store, new SessionTable(limits), meter, 0, null);
    }

    /** A machine for what was split off by the entry at {@code index}. */
    private ShardStateMachine(
            int shardId, State state, LoadMeter meter, SessionLimits limits, long index, SplitHost splitHost) {
        this.shardId = shardId;
        this.meter = meter;
        this.limits = limits;
        this.state = state;
        this.appliedIndex.set(index);
        this.splitHost = splitHost;
    }

    /** A machine over a new, empty store for its slots. */
    public static ShardStateMachine create(
            int shardId, long epoch, SlotRanges owned, StorageEngine engine, StorageOptions options) {
        ShardStore store = new ShardStore(engine, options, owned.first(), owned.last(), KeySlot::of);
        return new ShardStateMachine(shardId, epoch, owned, store, SessionLimits.DEFAULTS);
    }

    /** Who takes what splits take away; before the first entry is applied. What is split off has the same host at first. */
    public void onSplit(SplitHost host) {
        splitHost = host;
    }

    /**
     * Applies the entry at {@code index}, which is larger than that of every entry before; indexes whose entries are no
     * commands are left out. For one thread.
     *
     * @param envelope as {@link CommandCodec} encodes it; not kept
     * @return the result, the same on every replica
     * @throws RuntimeException whatever it is: the replica has failed and must not go on
     */
    public CommandResult apply(long index, byte[] envelope) {
        if (index <= appliedIndex.getPlain()) {
            throw new IllegalStateException(
                    "shard " + shardId + ": entry " + index + " after entry " + appliedIndex.getPlain());
        }
        State present = state;
        try {
            long begin = meter.beginApply();
            CommandResult result = apply(present, index, CommandCodec.decode(envelope));
            meter.applied(begin, envelope.length);
            appliedIndex.setRelease(index);
            return result;
        } catch (RuntimeException | Error e) {
            present.store.fail(e);
            state.store.fail(e); // it may have been replaced on the way
            throw e;
        }
    }

    /** The entry at {@code index} holds no command: only {@link #appliedIndex} moves. For the thread that applies. */
    public void passOver(long index) {
        appliedIndex.setRelease(index);
    }

    private CommandResult apply(State present, long index, Envelope envelope) {
        ShardStore store = present.store;
        SessionTable sessions = present.sessions;
        store.beginCommand(index);
        GivenPiece given = present.given;
        if (given != null) {
            given.store().beginCommand(index);
        }
        Command command = envelope.command();
        long now = Math.max(store.logTimeMillis(), envelope.timeMillis());
        if (command instanceof Command.AdvanceTime advance) {
            now = Math.max(now, advance.millis());
        }
        store.advanceTime(now);
        if (command instanceof Command.OpenSession) {
            long id = sessionId(index);
            sessions.open(id, now);
            return new CommandResult.SessionOpened(id);
        }
        if (command instanceof Command.AdvanceTime) {
            return DONE;
        }
        if (envelope.sessionId() == 0) {
            return execute(present, index, now, command);
        }
        CommandResult known = sessions.begin(envelope.sessionId(), envelope.sequence(), envelope.ackedBelow(), now);
        if (known != null) {
            return known;
        }
        CommandResult result = execute(present, index, now, command);
        // A refusal for the slot changed nothing and is no outcome: the retry shall be decided anew.
        if (!(result instanceof CommandResult.WrongShard)) {
            sessions.finish(envelope.sessionId(), envelope.sequence(), result);
        }
        return result;
    }

    /** Another one than in any other shard: sessions go along with slots, and indexes of different logs are alike. */
    private long sessionId(long index) {
        return index << SESSION_SHARD_BITS | (shardId & ((1 << SESSION_SHARD_BITS) - 1));
    }

    private CommandResult execute(State present, long index, long now, Command command) {
        if (command instanceof Command.SplitShard split) {
            return split(present, index, split);
        }
        if (command instanceof Command.GiveSlots give) {
            return give(present, index, give);
        }
        if (command instanceof Command.AbsorbSlots absorb) {
            return absorb(present, index, now, absorb);
        }
        if (command instanceof Command.DropSlots drop) {
            return drop(present, drop);
        }
        return present.executor.execute(index + present.versionOffset, now, command);
    }

    private CommandResult split(State present, long index, Command.SplitShard split) {
        SlotRanges owned = present.owned;
        int slot = split.firstSlot();
        if (split.expectedEpoch() != present.epoch
                || present.given != null
                || owned.isEmpty()
                || slot <= owned.first()
                || slot > owned.last()) {
            return new CommandResult.WrongShard(present.epoch);
        }
        long offset = present.versionOffset;
        // First of all: a reader that is told that a slot has moved comes back for the new owner.
        state = new State(split.epoch(), owned.below(slot), present.store, present.sessions, meter, offset, null);
        ShardStore rightStore = present.store.split(slot);
        LoadMeter rightMeter = meter.split(slot);
        State right = new State(
                split.newEpoch(), owned.from(slot), rightStore, present.sessions.copy(), rightMeter, offset, null);
        ShardStateMachine child = new ShardStateMachine(split.newShard(), right, rightMeter, limits, index, splitHost);
        unsafeChildren.add(split.newShard());
        splitHost.split(this, split, child);
        return new CommandResult.ShardSplit(index);
    }

    private CommandResult give(State present, long index, Command.GiveSlots give) {
        SlotRanges owned = present.owned;
        GivenPiece before = present.given;
        GivenSlots slots =
                GivenPiece.of(give.epoch(), give.first(), give.last(), give.to(), index + present.versionOffset);
        if (before != null) {
            return isSame(before.slots(), slots) ? DONE : new CommandResult.WrongShard(present.epoch);
        }
        if (give.expectedEpoch() != present.epoch
                || owned.ranges().size() != 1
                || give.first() != owned.first()
                || give.last() > owned.last()) {
            return new CommandResult.WrongShard(present.epoch);
        }
        boolean all = give.last() == owned.last();
        // What is given stays where it is, and what the shard keeps moves: so nothing can touch the former by mistake.
        ShardStore kept = all ? present.store.newEmpty(give.last(), give.last()) : present.store.split(give.last() + 1);
        SlotRanges left = all ? SlotRanges.NONE : owned.from(give.last() + 1);
        state = new State(
                give.epoch(),
                left,
                kept,
                present.sessions,
                meter,
                present.versionOffset,
                new GivenPiece(slots, present.store));
        meter.cover(all ? give.last() : left.first(), owned.last());
        splitHost.ownerChanged(this);
        return DONE;
    }

    private static boolean isSame(GivenSlots one, GivenSlots other) {
        return one.epoch() == other.epoch() && one.slots().equals(other.slots()) && one.to() == other.to();
    }

    private CommandResult absorb(State present, long index, long now, Command.AbsorbSlots absorb) {
        SlotRanges owned = present.owned;
        if (present.epoch >= absorb.epoch() && owned.contains(absorb.first()) && owned.contains(absorb.last())) {
            return DONE;
        }
        if (present.epoch >= absorb.epoch()
                || present.given != null
                || owned.ranges().size() != 1
                || absorb.first() != owned.last() + 1) {
            return new CommandResult.WrongShard(present.epoch);
        }
        Piece piece = absorb.piece();
        ShardStore wider = present.store.widen(absorb.last());
        long offset = Math.max(present.versionOffset, piece.versionFloor() - index);
        // Whoever reads goes on as before until all of it is there.
        state = new State(present.epoch, owned, wider, present.sessions, meter, present.versionOffset, null);
        wider.advanceTime(Math.max(now, piece.logTimeMillis()));
        for (Piece.Entry entry : piece.entries()) {
            int slot = KeySlot.of(entry.key());
            if (slot < absorb.first() || slot > absorb.last()) {
                throw new IllegalStateException("shard " + shardId + ": an entry of slot " + slot
                        + " among those of slots " + absorb.first() + " to " + absorb.last());
            }
            StoredValue value = entry.value();
            wider.beginWrite(slot);
            wider.put(slot, entry.key(), value.value(), value.version(), value.expiresAtMillis());
            wider.endWrite(slot);
        }
        present.sessions.absorb(piece.sessions());
        SlotRanges all = owned.upTo(absorb.last());
        meter.cover(all.first(), all.last());
        state = new State(absorb.epoch(), all, wider, present.sessions, meter, offset, null);
        splitHost.ownerChanged(this);
        return DONE;
    }

    private CommandResult drop(State present, Command.DropSlots drop) {
        GivenPiece given = present.given;
        if (given == null) {
            return DONE;
        }
        if (given.slots().epoch() != drop.epoch()) {
            return new CommandResult.WrongShard(present.epoch);
        }
        state = new State(
                present.epoch, present.owned, present.store, present.sessions, meter, present.versionOffset, null);
        given.store().endCapture("slots that were given away were deleted");
        free(given.store(), this::inBackground);
        return DONE;
    }

    /**
     * Goes on with what splits left to be done. On the apply thread, when there is nothing better to do; otherwise each
     * command does a piece.
     *
     * @param entries at most so many are moved, each of which takes a microsecond or two
     * @return whether there is more
     */
    public boolean tidyUp(int entries) {
        State present = state;
        boolean more = present.given != null && present.given.store().moveEntries(entries);
        return present.store.moveEntries(entries) || more;
    }

    /**
     * The state of a shard that was split off is safe without this shard's log. Any thread; idempotent.
     *
     * @see SplitHost
     */
    public void childIsSafe(int shard) {
        unsafeChildren.remove(shard);
    }

    /**
     * Shards that were split off and whose state can only be had from this shard's log. While there are any, no checkpoint
     * of this shard may count that has their splits in it, and this replica's data must not be deleted. Any thread.
     */
    public Set<Integer> unsafeChildren() {
        return Set.copyOf(unsafeChildren);
    }

    /**
     * Holds the state as it is now, for a checkpoint. On the apply thread; takes microseconds. One capture at a time.
     *
     * @throws IllegalStateException if the one before is not closed
     */
    public StateCapture beginCapture() {
        return beginCapture(DEFAULT_CAPTURE_BYTES);
    }

    /** Whether a capture is going on, so that another cannot begin. On the apply thread. */
    public boolean isCapturing() {
        State present = state;
        return present.store.isCapturing()
                || (present.given != null && present.given.store().isCapturing());
    }

    /** As {@link #beginCapture()}; the capture fails when it would hold more than {@code maxHeldBytes} of changed entries. */
    public StateCapture beginCapture(long maxHeldBytes) {
        State present = state;
        GivenPiece given = present.given;
        return new StateCapture(
                appliedIndex.getPlain(),
                present.epoch,
                present.owned,
                present.store.beginCapture(maxHeldBytes),
                present.sessions.capture(),
                present.versionOffset,
                given == null ? null : given.slots(),
                given == null ? null : given.store().beginCapture(maxHeldBytes));
    }

    /**
     * Reads a state from a checkpoint, off the apply thread; changes nothing here.
     *
     * @throws io.elastickv.embedded.internal.storage.CheckpointDamagedException if it is damaged
     */
    public LoadedState load(CheckpointDirectory directory, CheckpointManifest manifest) throws IOException {
        try (StateLoad load = beginLoad(directory, manifest)) {
            for (int file = 0; file < load.fileCount(); file++) {
                load.loadFile(file);
            }
            return load.finish();
        }
    }

    /** As {@link #load}, file by file. */
    public StateLoad beginLoad(CheckpointDirectory directory, CheckpointManifest manifest) {
        SlotRanges owned = ownedIn(manifest);
        GivenSlots given = manifest.given();
        StoreLoader kept = owned.isEmpty()
                ? state.store.newLoader(KeySlot.COUNT - 1, KeySlot.COUNT - 1)
                : state.store.newLoader(owned.first(), owned.last());
        StoreLoader away = given == null
                ? null
                : state.store.newLoader(given.slots().first(), given.slots().last());
        return new StateLoad(directory, manifest, limits, kept, away);
    }

    private static SlotRanges ownedIn(CheckpointManifest manifest) {
        return manifest.slots().isEmpty()
                ? SlotRanges.NONE
                : SlotRanges.of(manifest.slots().stream()
                        .map(span -> new SlotRange(span.first(), span.last()))
                        .toList());
    }

    /**
     * Takes a loaded state in place of the present one, on the apply thread. A query sees one or the other. The old one is
     * freed on a thread of its own, once its readers have left; a capture of it fails.
     *
     * @throws IllegalArgumentException if it is not ahead of what is applied
     */
    public void install(LoadedState loaded) {
        install(loaded, this::inBackground);
    }

    private void inBackground(Runnable command) {
        Thread thread = new Thread(command, "elastickv-shard-" + shardId + "-free");
        thread.setDaemon(true);
        thread.start();
    }

    /** As {@link #install(LoadedState)}; frees the old state by way of {@code background}. */
    public void install(LoadedState loaded, Executor background) {
        if (loaded.index() <= appliedIndex.getPlain()) {
            throw new IllegalArgumentException("shard " + shardId + ": a state of entry " + loaded.index()
                    + " in place of that of entry " + appliedIndex.getPlain());
        }
        State old = state;
        CheckpointManifest manifest = loaded.manifest();
        SlotRanges owned = ownedIn(manifest);
        if (!owned.isEmpty()) {
            meter.cover(owned.first(), owned.last());
        }
        GivenSlots given = manifest.given();
        ShardStore away = loaded.takeGiven();
        state = new State(
                manifest.epoch(),
                owned,
                loaded.take(),
                loaded.sessions(),
                meter,
                manifest.versionOffset(),
                given == null || away == null ? null : new GivenPiece(given, away));
        // Only now may a read be answered that waits for an entry in it.
        appliedIndex.setRelease(loaded.index());
        old.store.endCapture("the state was replaced by that of entry " + loaded.index());
        free(old.store, background);
        if (old.given != null) {
            old.given.store().endCapture("the state was replaced by that of entry " + loaded.index());
            free(old.given.store(), background);
        }
    }

    private void free(ShardStore store, Executor background) {
        background.execute(() -> {
            try {
                store.close();
            } catch (RuntimeException e) {
                LOG.warn("shard {}: a replaced state was not freed", shardId, e);
            }
        });
    }

    /** The number of the shard. */
    public int shardId() {
        return shardId;
    }

    /**
     * Which slots a shard has.
     *
     * @param epoch grows with every change of them
     * @param slots what it serves
     * @param given what it gave away and still has the entries of; null if there is nothing
     */
    public record Ownership(
            long epoch, SlotRanges slots, @Nullable GivenSlots given) {}

    /** What the shard owns now. Any thread. */
    public Ownership ownership() {
        State present = state;
        return new Ownership(present.epoch, present.owned, present.given == null ? null : present.given.slots());
    }

    /** What is remembered of the sessions; on the apply thread, the rest by any. */
    public Supplier<List<Piece.Session>> sessions() {
        List<SessionTable.Captured> captured = state.sessions.capture();
        return () -> SessionTable.export(captured);
    }

    /**
     * What the slots have that were given away in {@code epoch}. Any thread that may take its time.
     *
     * @param sessions see {@link #sessions}
     * @return null if there are none
     */
    public @Nullable Piece readGiven(long epoch, List<Piece.Session> sessions) {
        GivenPiece given = state.given;
        return given == null || given.slots().epoch() != epoch ? null : given.read(sessions);
    }

    /**
     * How far the first slots fit into a piece of about {@code bytes}. Any thread that may take its time.
     *
     * @param mostBytes of a slot that does not fit
     * @return the last slot that fits, the one before the first if it alone has more than {@code mostBytes}; -1 if nothing is
     *     owned
     */
    public int measure(long bytes, long mostBytes) {
        return read(present -> present.owned.isEmpty()
                ? -1
                : PieceReader.measure(present.store, present.owned.first(), present.owned.last(), bytes, mostBytes));
    }

    /** Entries up to here are applied. Any thread. */
    public long appliedIndex() {
        return appliedIndex.getAcquire();
    }

    /** The log's time in milliseconds since 1970. Any thread. */
    public long logTimeMillis() {
        return state.store.logTimeMillis();
    }

    /**
     * Answers a linearizable read, once {@link #appliedIndex} has reached the read point. Any thread; scans and the
     * queries for keys of a slot or at random take milliseconds and do not belong on an event loop.
     *
     * @param readTimeMillis the clock of the leader that confirmed the read point, taken then
     * @return {@link QueryResult.NeedsTime} if a key is expired at that time but not yet in the log
     * @throws RuntimeException if the store is closed or the replica has failed
     */
    public QueryResult query(Query query, long readTimeMillis) {
        return read(present -> present.queries.execute(query, readTimeMillis, true));
    }

    /**
     * Answers a read that need not be linearizable. As {@link #query}, but a key that is expired at {@code clockMillis} is
     * simply absent.
     *
     * @param clockMillis the clock of whoever answers
     */
    public QueryResult queryLocal(Query query, long clockMillis) {
        return read(present -> present.queries.execute(query, clockMillis, false));
    }

    /**
     * Keys that are expired at {@code nowMillis}, for {@link Command.EvictExpired}. Any thread, not an event loop.
     *
     * @param limit at most so many
     */
    public List<byte[]> collectExpired(long nowMillis, int limit) {
        return read(present -> present.store.collectExpired(nowMillis, limit));
    }

    /** What this replica has to do. Any thread. */
    public LoadMeter meter() {
        return meter;
    }

    /** How many keys there are, those expired but not yet removed included. Any thread. */
    public long size() {
        return state.store.size();
    }

    /** Memory reserved outside the heap in bytes. Any thread. */
    public long offHeapBytes() {
        return read(present -> present.store.offHeapBytes());
    }

    /** Reads one state: the new one if the old one is closed before the read got in. */
    private <T> T read(Function<State, T> read) {
        while (true) {
            State present = state;
            try {
                return read.apply(present);
            } catch (SlotMovedException e) {
                // The state that says so was there before, or is in a moment.
                LOG.trace("shard {}: {}", shardId, e.getMessage());
                Thread.onSpinWait();
            } catch (StorageException e) {
                if (present == state) {
                    throw e;
                }
            }
        }
    }

    /** For tests, on the apply thread. */
    ShardStore store() {
        return state.store;
    }

    /** Frees the store; readers still inside get a moment, later ones an exception. Not beside {@link #apply}. Idempotent. */
    @Override
    public void close() {
        State present = state;
        present.store.close();
        if (present.given != null) {
            present.given.close();
        }
    }
}
