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
        long commitIndex;

        long lastIndex() {
            return entries.size();
        }

        Group copy() {
            Group copy = new Group();
            copy.hardState = hardState;
            copy.entries.addAll(entries);
            copy.commitIndex = commitIndex;
            return copy;
        }

        List<TermRun> termRuns() {
            List<TermRun> runs = new ArrayList<>();
            for (LogEntry entry : entries) {
                if (runs.isEmpty() || runs.get(runs.size() - 1).term() != entry.term()) {
                    runs.add(new TermRun(entry.index(), entry.term()));
                }
            }
            return runs;
        }

        @Override
        public String toString() {
            return hardState + " " + entries + " commit " + commitIndex;
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
            LogEntry entry =
                    new LogEntry(index, term, payload.length == 0 ? EntryKind.NOOP : EntryKind.COMMAND, payload);
            parts.add((model, batch) -> {
                List<LogEntry> entries = model.group(group).entries;
                entries.subList((int) index - 1, entries.size()).clear();
                entries.add(entry);
                batch.add(group, entry);
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
        Model scratch = copy();
        Step step = new Step();
        int parts = 1 + random.nextInt(6);
        for (int i = 0; i < parts; i++) {
            int id = random.nextInt(groupCount);
            Group group = scratch.group(id);
            Step part = new Step();
            int what = random.nextInt(10);
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
            } else {
                int count = 1 + random.nextInt(5);
                for (int k = 1; k <= count; k++) {
                    part.entry(id, group.lastIndex() + k, term, payload(random, maxPayload));
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
            if (!groups.containsKey(id)
                    && log.group(id).lastIndex() + log.group(id).hardState().term() > 0) {
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
            if (!actual.termRuns().equals(expected.termRuns())) {
                return prefix + expected.termRuns() + ", is " + actual.termRuns();
            }
            List<LogEntry> entries = actual.readNow(1, Long.MAX_VALUE, Integer.MAX_VALUE, Long.MAX_VALUE);
            if (!entries.equals(expected.entries)) {
                return prefix + expected.entries + ", is " + entries;
            }
        }
        return null;
    }
}
