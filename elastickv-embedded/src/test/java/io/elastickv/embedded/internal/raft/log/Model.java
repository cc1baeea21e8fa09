package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.raft.core.EntryKind;
import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.core.TermRun;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/** What a log must hold, kept the obvious way; also a source of random batches that a correct Raft core could ask for. */
final class Model {

    /** One group. */
    static final class Group {
        HardState hardState = HardState.INITIAL;
        final List<LogEntry> entries = new ArrayList<>();
        long base;
        long baseTerm;
        long commitIndex;

        long lastIndex() {
            return base + entries.size();
        }

        long termAt(long index) {
            return index == base
                    ? baseTerm
                    : entries.get((int) (index - base - 1)).term();
        }

        void rebase(long index, long term) {
            if (index <= lastIndex() && index >= base && termAt(index) == term) {
                entries.subList(0, (int) (index - base)).clear();
            } else {
                entries.clear();
            }
            base = index;
            baseTerm = term;
            commitIndex = Math.max(commitIndex, index);
        }

        List<LogEntry> configurationEntries() {
            return entries.stream()
                    .filter(entry -> entry.kind() == EntryKind.CONFIGURATION)
                    .toList();
        }

        Group copy() {
            Group copy = new Group();
            copy.hardState = hardState;
            copy.entries.addAll(entries);
            copy.commitIndex = commitIndex;
            copy.base = base;
            copy.baseTerm = baseTerm;
            return copy;
        }

        List<TermRun> termRuns() {
            List<TermRun> runs = new ArrayList<>();
            if (base > 0) {
                runs.add(new TermRun(base, baseTerm));
            }
            for (LogEntry entry : entries) {
                if (runs.isEmpty() || runs.get(runs.size() - 1).term() != entry.term()) {
                    runs.add(new TermRun(entry.index(), entry.term()));
                }
            }
            return runs;
        }

        @Override
        public String toString() {
            return hardState + " base " + base + ":" + baseTerm + " " + entries + " commit " + commitIndex;
        }
    }

    final Map<Integer, Group> groups = new TreeMap<>();

    /** Changes to apply to a model and to a batch alike. */
    static final class Step {
        private final List<BiConsumer<Model, LogBatch>> parts = new ArrayList<>();

        Step hardState(int group, long term, String vote) {
            HardState state = new HardState(term, vote);
            parts.add((model, batch) -> {
                model.group(group).hardState = state;
                batch.add(group, state);
            });
            return this;
        }

        Step entry(int group, long index, long term, byte[] payload) {
            return entry(group, index, term, payload.length == 0 ? EntryKind.NOOP : EntryKind.COMMAND, payload);
        }

        Step entry(int group, long index, long term, EntryKind kind, byte[] payload) {
            LogEntry entry = new LogEntry(index, term, kind, payload);
            parts.add((model, batch) -> {
                Group changed = model.group(group);
                List<LogEntry> entries = changed.entries;
                entries.subList((int) (index - changed.base - 1), entries.size())
                        .clear();
                entries.add(entry);
                batch.add(group, entry);
            });
            return this;
        }

        Step base(int group, long index, long term) {
            parts.add((model, batch) -> {
                model.group(group).rebase(index, term);
                batch.addBase(group, index, term);
            });
            return this;
        }

        Step removed(int group) {
            parts.add((model, batch) -> {
                model.groups.remove(group);
                batch.addRemoved(group);
            });
            return this;
        }

        Step commit(int group, long index) {
            parts.add((model, batch) -> {
                model.group(group).commitIndex = index;
                batch.addCommit(group, index);
            });
            return this;
        }

        /** Fills {@code batch} and changes {@code model}. */
        void apply(Model model, LogBatch batch) {
            parts.forEach(part -> part.accept(model, batch));
        }
    }

    Group group(int id) {
        return groups.computeIfAbsent(id, key -> new Group());
    }

    Model copy() {
        Model copy = new Model();
        groups.forEach((id, group) -> copy.groups.put(id, group.copy()));
        return copy;
    }

    /** A step that fits this model; does not change it. */
    Step randomStep(Random random, int groupCount, int maxPayload) {
        return randomStep(random, groupCount, maxPayload, true);
    }

    /** A step that fits this model, perhaps without bases and removals. */
    Step randomStep(Random random, int groupCount, int maxPayload, boolean compacting) {
        Model scratch = copy();
        Step step = new Step();
        int parts = 1 + random.nextInt(6);
        for (int i = 0; i < parts; i++) {
            int id = random.nextInt(groupCount);
            Group group = scratch.group(id);
            Step part = new Step();
            int what = random.nextInt(compacting ? 20 : 3) + (compacting ? 0 : random.nextInt(2) * 10);
            long term = Math.max(group.hardState.term(), 1);
            if (what == 0) {
                part.hardState(
                        id, group.hardState.term() + 1, random.nextBoolean() ? null : "node-" + random.nextInt(5));
            } else if (what == 1 && group.lastIndex() > group.commitIndex) {
                part.commit(id, group.commitIndex + 1 + random.nextInt((int) (group.lastIndex() - group.commitIndex)));
            } else if (what == 2 && group.lastIndex() > group.commitIndex) {
                long from = group.commitIndex + 1 + random.nextInt((int) (group.lastIndex() - group.commitIndex));
                part.hardState(id, term + 1, null);
                part.entry(id, from, term + 1, payload(random, maxPayload));
            } else if (what <= 6 && group.commitIndex > group.base) {
                long index = group.base + 1 + random.nextInt((int) (group.commitIndex - group.base));
                part.base(id, index, group.termAt(index)); // a checkpoint
            } else if (what == 7 && random.nextInt(4) == 0) {
                part.base(id, group.lastIndex() + 1 + random.nextInt(20), term); // a snapshot
            } else if (what == 8 && random.nextInt(4) == 0 && group.lastIndex() > group.commitIndex) {
                part.base(id, group.lastIndex(), term + 1); // a snapshot of another history
                part.hardState(id, term + 1, null);
            } else if (what == 9 && random.nextInt(8) == 0) {
                part.removed(id);
            } else {
                int count = 1 + random.nextInt(5);
                for (int k = 1; k <= count; k++) {
                    byte[] payload = payload(random, maxPayload);
                    EntryKind kind = random.nextInt(6) == 0
                            ? EntryKind.CONFIGURATION
                            : payload.length == 0 ? EntryKind.NOOP : EntryKind.COMMAND;
                    part.entry(id, group.lastIndex() + k, term, kind, payload);
                }
            }
            part.apply(scratch, new LogBatch(Completions.IGNORE));
            step.parts.addAll(part.parts);
        }
        return step;
    }

    private static byte[] payload(Random random, int max) {
        byte[] payload =
                new byte[random.nextInt(8) == 0 ? random.nextInt(max + 1) : random.nextInt(Math.min(max, 60) + 1)];
        random.nextBytes(payload);
        return payload;
    }

    /** Null if the log shows exactly this; what differs otherwise. */
    String difference(NodeLog log) {
        for (int id : log.groups()) {
            if (!groups.containsKey(id)) {
                return "group " + id + " is not expected";
            }
        }
        for (Map.Entry<Integer, Group> entry : groups.entrySet()) {
            GroupLog actual = log.group(entry.getKey());
            Group expected = entry.getValue();
            String prefix = "group " + entry.getKey() + ": expected ";
            if (!actual.hardState().equals(expected.hardState)) {
                return prefix + expected.hardState + ", is " + actual.hardState();
            }
            if (actual.lastIndex() != expected.lastIndex()) {
                return prefix + "last index " + expected.lastIndex() + ", is " + actual.lastIndex();
            }
            if (actual.commitIndex() != expected.commitIndex) {
                return prefix + "commit index " + expected.commitIndex + ", is " + actual.commitIndex();
            }
            if (actual.firstIndex() != expected.base + 1 || actual.baseTerm() != expected.baseTerm) {
                return prefix + "base " + expected.base + ":" + expected.baseTerm + ", is " + (actual.firstIndex() - 1)
                        + ":" + actual.baseTerm();
            }
            if (!actual.configurationEntries().equals(expected.configurationEntries())) {
                return prefix + expected.configurationEntries() + ", is " + actual.configurationEntries();
            }
            if (!actual.termRuns().equals(expected.termRuns())) {
                return prefix + expected.termRuns() + ", is " + actual.termRuns();
            }
            List<LogEntry> entries =
                    actual.readNow(expected.base + 1, Long.MAX_VALUE, Integer.MAX_VALUE, Long.MAX_VALUE);
            if (!entries.equals(expected.entries)) {
                return prefix + expected.entries + ", is " + entries;
            }
        }
        return null;
    }
}
