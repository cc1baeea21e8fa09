package io.elastickv.embedded.internal.transport;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import org.jgroups.protocols.raft.FileBasedLog;
import org.jgroups.protocols.raft.Log;
import org.jgroups.protocols.raft.LogEntries;
import org.jgroups.protocols.raft.LogEntry;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The findings of docs/jgroups-raft-findings.md that the stock log, FileBasedLog, shows alone. Each test is a control: if a
 * new release of jgroups-raft fails it, the finding is to be looked at again.
 */
@Timeout(30)
class StockLogControlTest {
    /** What LogEntryStorage writes before each command. */
    static final int HEADER = 26;

    @TempDir
    private Path directory;

    private Path entriesFile;

    @BeforeEach
    void nameTheFile() {
        entriesFile = directory.resolve("entries.raft");
    }

    private Log open() throws Exception {
        Log log = new FileBasedLog();
        log.init(directory.toString(), Map.of());
        return log;
    }

    private static LogEntries entry(long term, String command) {
        return LogEntries.create(new LogEntry(term, command.getBytes(UTF_8)));
    }

    private static String commandAt(Log log, long index) {
        LogEntry entry = Objects.requireNonNull(log.get(index));
        return new String(entry.command(), entry.offset(), entry.length(), UTF_8);
    }

    private void overwrite(String old, String with) throws IOException {
        byte[] file = Files.readAllBytes(entriesFile);
        byte[] wanted = old.getBytes(UTF_8);
        for (int i = 0; i + wanted.length <= file.length; i++) {
            if (Arrays.equals(file, i, i + wanted.length, wanted, 0, wanted.length)) {
                System.arraycopy(with.getBytes(UTF_8), 0, file, i, wanted.length);
                Files.write(entriesFile, file);
                return;
            }
        }
        throw new AssertionError("not in the file: " + old);
    }

    @Test
    void appendingAnOlderEntryLowersThePersistedTerm() throws Exception {
        try (Log log = open()) {
            assertThat(log.useFsync()).isTrue();
            log.currentTerm(5);
            log.append(1, entry(1, "old"));
            assertThat(log.currentTerm()).isEqualTo(1);
        }
        try (Log log = open()) {
            assertThat(log.currentTerm()).isEqualTo(1);
        }
    }

    @Test
    void deletingATailLowersThePersistedTerm() throws Exception {
        try (Log log = open()) {
            log.append(1, entry(1, "kept"));
            log.append(2, entry(2, "deleted"));
            log.currentTerm(5);
            log.deleteAllEntriesStartingFrom(2);
            assertThat(log.currentTerm()).isEqualTo(1);
            log.currentTerm(5);
            log.deleteAllEntriesStartingFrom(1);
        }
        try (Log log = open()) {
            assertThat(log.currentTerm()).isZero();
        }
    }

    @Test
    void aDamagedCommandIsReadBackAsIfItWereWhatWasWritten() throws Exception {
        try (Log log = open()) {
            log.append(1, entry(1, "pay 100"));
            log.append(2, entry(1, "pay 200"));
        }
        overwrite("pay 100", "pay 900");
        overwrite("pay 200", "\0\0\0\0\0\0\0");
        try (Log log = open()) {
            assertThat(log.lastAppended()).isEqualTo(2);
            assertThat(commandAt(log, 1)).isEqualTo("pay 900");
            assertThat(commandAt(log, 2)).isEqualTo("\0\0\0\0\0\0\0");
        }
    }

    @Test
    void aDamagedHeaderEndsTheLogSilently() throws Exception {
        try (Log log = open()) {
            log.append(1, entry(1, "first"));
            log.append(2, entry(1, "second"));
            log.append(3, entry(1, "third"));
            log.commitIndex(3);
        }
        byte[] file = Files.readAllBytes(entriesFile);
        file[HEADER + "first".length()] ^= 1;
        Files.write(entriesFile, file);
        try (Log log = open()) {
            assertThat(log.lastAppended()).isEqualTo(1);
            assertThat(log.commitIndex()).isEqualTo(3);
        }
    }

    @Test
    void afterASnapshotWasInstalledARestartFindsAnEmptyLog() throws Exception {
        try (Log log = open()) {
            assertThat(log.useFsync()).isTrue();
            log.append(1, entry(1, "before"));
            // What Follower.handleInstallSnapshotRequest does for a snapshot that ends at 10, and two entries after it.
            log.reinitializeTo(10, new LogEntry(3, null));
            assertThat(Files.size(entriesFile)).isZero();
            log.append(11, entry(3, "eleven"));
            log.append(12, entry(3, "twelve"));
            log.commitIndex(12);
            assertThat(log.lastAppended()).isEqualTo(12);
            assertThat(commandAt(log, 12)).isEqualTo("twelve");
        }
        try (Log log = open()) {
            assertThat(log.commitIndex()).isEqualTo(12);
            assertThat(log.lastAppended()).isZero();
            assertThat(log.get(11)).isNull();
            assertThat(log.get(12)).isNull();
        }
    }

    @Test
    void aTemporaryFileOfAnInterruptedTruncationBringsDeletedEntriesBack() throws Exception {
        // Long enough for LogEntryStorage to write without room after it.
        String padding = "-".repeat(5_000);
        try (Log log = open()) {
            for (int i = 1; i <= 6; i++) {
                log.append(i, entry(1, i + padding));
            }
            log.commitIndex(2);
        }
        // A truncation to 2 that was interrupted before FileStorage.truncateFrom moved its temporary file.
        byte[] file = Files.readAllBytes(entriesFile);
        Files.write(
                directory.resolve("entries.raft.tmp"),
                Arrays.copyOfRange(file, HEADER + padding.length() + 1, file.length));
        try (Log log = open()) {
            // The new leader has something else at 4, and nothing after it.
            log.deleteAllEntriesStartingFrom(4);
            log.append(4, entry(2, "N" + padding));
            log.commitIndex(4);
            log.truncate(2);
            assertThat(log.lastAppended()).isEqualTo(4);
        }
        try (Log log = open()) {
            assertThat(log.lastAppended()).isEqualTo(6);
            assertThat(commandAt(log, 4)).startsWith("N");
            assertThat(commandAt(log, 5)).startsWith("5");
            assertThat(commandAt(log, 6)).startsWith("6");
        }
    }
}
