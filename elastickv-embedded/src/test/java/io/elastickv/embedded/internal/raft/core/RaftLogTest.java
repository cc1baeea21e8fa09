package io.elastickv.embedded.internal.raft.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RaftLogTest {

    private static LogEntry entry(long index, long term) {
        return new LogEntry(index, term, EntryKind.COMMAND, new byte[2]);
    }

    private static RaftLog emptyLog(long maxCachedBytes) {
        return new RaftLog(RestoredState.empty(Configuration.EMPTY), maxCachedBytes);
    }

    @Test
    void knowsTheTermOfEveryEntryAndOfTheStart() {
        RaftLog log = emptyLog(10_000);
        log.append(entry(1, 1));
        log.append(entry(2, 1));
        log.append(entry(3, 4));
        assertThat(log.termAt(0)).isZero();
        assertThat(log.termAt(2)).isEqualTo(1);
        assertThat(log.termAt(3)).isEqualTo(4);
        assertThat(log.termAt(4)).isEqualTo(RaftLog.NO_TERM);
    }

    @Test
    void refusesGapsAndOlderTerms() {
        RaftLog log = emptyLog(10_000);
        log.append(entry(1, 3));
        assertThatThrownBy(() -> log.append(entry(3, 3))).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> log.append(entry(2, 2))).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aNoticeForAnOverwrittenEntryMakesNothingDurable() {
        RaftLog log = emptyLog(10_000);
        log.append(entry(1, 1));
        log.append(entry(2, 1));
        assertThat(log.markDurable(1, 1)).isTrue();
        log.truncateFrom(2);
        log.append(entry(2, 2));
        assertThat(log.markDurable(2, 1)).isFalse();
        assertThat(log.durableIndex()).isEqualTo(1);
        assertThat(log.markDurable(2, 2)).isTrue();
    }

    @Test
    void truncationTakesDurabilityBack() {
        RaftLog log = emptyLog(10_000);
        log.append(entry(1, 1));
        log.append(entry(2, 1));
        log.markDurable(2, 1);
        log.truncateFrom(2);
        assertThat(log.durableIndex()).isEqualTo(1);
    }

    @Test
    void evictsOnlyWhatIsDurableAndCommitted() {
        RaftLog log = emptyLog(2 * entry(1, 1).countedBytes());
        for (int i = 1; i <= 6; i++) {
            log.append(entry(i, 1));
        }
        log.evict(6);
        assertThat(log.isCached(1)).isTrue();
        log.markDurable(6, 1);
        log.evict(2);
        assertThat(log.isCached(2)).isFalse();
        assertThat(log.isCached(3)).isTrue();
        log.evict(6);
        assertThat(log.isCached(4)).isFalse();
        assertThat(log.isCached(5)).isTrue();
        assertThat(log.cachedBytes()).isEqualTo(2L * entry(1, 1).countedBytes());
    }

    @Test
    void restoresFromTermRunsAndTail() {
        RaftLog log = new RaftLog(
                new RestoredState(
                        new HardState(5, null),
                        1,
                        6,
                        0,
                        0,
                        List.of(new TermRun(1, 1), new TermRun(3, 2), new TermRun(6, 5)),
                        List.of(entry(5, 2), entry(6, 5)),
                        Configuration.EMPTY,
                        List.of(),
                        false),
                10_000);
        assertThat(log.termAt(2)).isEqualTo(1);
        assertThat(log.termAt(5)).isEqualTo(2);
        assertThat(log.lastTerm()).isEqualTo(5);
        assertThat(log.isCached(4)).isFalse();
        assertThat(log.cached(5)).isEqualTo(entry(5, 2));
        assertThat(log.durableIndex()).isEqualTo(6);
        assertThat(log.lastIndexNotAbove(6, 4)).isEqualTo(5);
        assertThat(log.lastIndexNotAbove(5, 1)).isEqualTo(2);
        assertThat(log.lastIndexNotAbove(9, 9)).isEqualTo(6);
        assertThat(log.lastIndexNotAbove(4, 0)).isZero();
    }

    @Test
    void behavesLikeAPlainList() {
        long seed = Long.getLong("log.seed", 3);
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 200; round++) {
            RaftLog log = emptyLog(1 + random.nextInt(3_000));
            List<LogEntry> model = new ArrayList<>();
            long term = 1;
            long committed = 0;
            for (int step = 0; step < 200; step++) {
                switch (random.nextInt(8)) {
                    case 0 -> term += random.nextInt(3);
                    case 1 -> {
                        long from = committed + 1 + random.nextInt(5);
                        if (from <= model.size()) {
                            log.truncateFrom(from);
                            model.subList((int) from - 1, model.size()).clear();
                            term++;
                        }
                    }
                    case 2 -> {
                        if (!model.isEmpty()) {
                            LogEntry last = model.get(random.nextInt(model.size()));
                            log.markDurable(last.index(), last.term());
                        }
                    }
                    case 3 -> {
                        committed = Math.max(committed, Math.min(model.size(), committed + random.nextInt(6)));
                        log.evict(committed);
                    }
                    default -> {
                        LogEntry e =
                                new LogEntry(model.size() + 1, term, EntryKind.COMMAND, new byte[random.nextInt(100)]);
                        log.append(e);
                        model.add(e);
                    }
                }
                assertThat(log.lastIndex()).as("-Dlog.seed=%d", seed).isEqualTo(model.size());
                long bytes = 0;
                for (LogEntry e : model) {
                    assertThat(log.termAt(e.index())).isEqualTo(e.term());
                    if (log.isCached(e.index())) {
                        assertThat(log.cached(e.index())).isSameAs(e);
                        bytes += e.countedBytes();
                    } else {
                        assertThat(e.index()).isLessThanOrEqualTo(Math.min(committed, log.durableIndex()));
                    }
                }
                assertThat(log.cachedBytes()).isEqualTo(bytes);
            }
        }
    }
}
