package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.ReplicaInfo;
import io.elastickv.embedded.corruption.Damage;
import io.elastickv.embedded.corruption.FileRegion;
import io.elastickv.embedded.corruption.NodeFileRegions;
import io.elastickv.embedded.corruption.OutcomeTable;
import io.elastickv.embedded.corruption.OutcomeTable.Outcome;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Damages one member's files while it is down, one damage at a time, and starts it again: it may repair them, refuse to start
 * with a message that helps, or not notice, but never answer wrongly. After each damage the member's whole content, as it has it
 * itself, must be what was written. A refused member gets its file back, so the cluster is whole again for the next.
 */
final class CorruptionMatrix implements AutoCloseable {

    private static final int VICTIM = 2;
    private static final int SHARDS = 2;
    private static final int WRITES_BETWEEN = 20;
    private static final long CHECKPOINT_BYTES = 32 << 10;
    private static final long SEGMENT_BYTES = 128 << 10;

    /** To look closer at some: a part of the names that the table has. */
    private static final Pattern ONLY = Pattern.compile(System.getProperty("elastickv.corruption.only", ""));

    /** Words that tell an operator what to do. */
    private static final Pattern REMEDY = Pattern.compile(
            "restore|copy|empty director|remove|delete|replace|restart|correct the|use the version|give this node|wipe");

    /** What a node says of damage that it gets over. */
    private static final Pattern MENTIONS_DAMAGE = Pattern.compile(
            "damaged|torn|corrupt|unreadable|cannot be read|not readable|checksum|falls? back|older checkpoint|ignored"
                    + "|ignoring|overwritten|removed|incomplete|rebuil[dt]|fetch|lost|snapshot");

    /** That the rest came from the others: a state, or entries that were cut off the end of the log. */
    private static final Pattern MENTIONS_PEERS = Pattern.compile("fetched|rebuil[dt]|torn|cut off");

    private final LocalCluster cluster;
    private final ContentModel model;
    private final SplittableRandom random;
    private final OutcomeTable table = new OutcomeTable();
    private final Map<String, Integer> inflicted = new TreeMap<>();
    private final ListAppender<ILoggingEvent> said = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger("io.elastickv");
    private final boolean verbose;
    private final List<String> complaints = new ArrayList<>();
    private @Nullable Damage last;
    private int runs;

    CorruptionMatrix(long seed, boolean verbose) {
        this.random = new SplittableRandom(seed);
        this.model = new ContentModel(seed);
        this.verbose = verbose;
        said.start();
        logger.setLevel(Level.INFO);
        logger.setAdditive(false);
        logger.addAppender(said);
        this.cluster = LocalCluster.builder()
                .shards(SHARDS)
                .electionTimeout(Duration.ofMillis(300))
                .customize((i, builder) ->
                        builder.checkpoints(CHECKPOINT_BYTES, 1 << 20).segmentBytes(SEGMENT_BYTES))
                .startAndAwaitReady();
        model.write(cluster.store(0), 1_500);
    }

    /** The regions of the victim's files, which is down. */
    private List<FileRegion> regions() {
        try {
            return NodeFileRegions.of(cluster.directoryOf(VICTIM));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * One run: damages what was damaged least often so far, at a random place.
     *
     * @param kind what is done to the file
     */
    void run(Damage.Kind kind) {
        runs++;
        long start = System.nanoTime();
        model.write(cluster.store(random.nextInt(cluster.size())), WRITES_BETWEEN);
        boolean killed = random.nextBoolean();
        if (killed) {
            endAsIfKilled();
        } else {
            cluster.stop(VICTIM);
        }
        undoLast();
        FileRegion region = choose(kind);
        if (random.nextInt(3) == 0) {
            model.write(cluster.store(0), WRITES_BETWEEN); // it has something to catch up on, too
        }
        try {
            Damage damage = Damage.inflict(region, kind, random);
            last = damage;
            Outcome outcome = restart(damage, killed);
            table.add(damage, outcome);
            verify(damage, outcome);
            if (verbose) {
                System.out.printf(Locale.ROOT, "    %s, %.1f s%n", outcome, (System.nanoTime() - start) / 1e9);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void undoLast() {
        Damage damage = last;
        if (damage != null) {
            try {
                damage.undoInCheckpoint();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** The region, or of cuts and missing files the kind of file, that had its turn least often. */
    private FileRegion choose(Damage.Kind kind) {
        Map<String, List<FileRegion>> choices = new TreeMap<>();
        for (FileRegion region : regions()) {
            if ((kind == Damage.Kind.FLIP && region.length() == 0)
                    || !ONLY.matcher(region.name()).find()) {
                continue;
            }
            String name = kind + " " + (kind == Damage.Kind.FLIP ? region.name() : region.kind());
            choices.computeIfAbsent(name, any -> new ArrayList<>()).add(region);
            inflicted.putIfAbsent(name, 0);
        }
        int least = choices.keySet().stream().mapToInt(inflicted::get).min().orElseThrow();
        List<String> due = choices.keySet().stream()
                .filter(name -> inflicted.get(name) == least)
                .toList();
        String name = due.get(random.nextInt(due.size()));
        inflicted.merge(name, 1, Integer::sum);
        List<FileRegion> regions = choices.get(name);
        return regions.get(random.nextInt(regions.size()));
    }

    /** How often the least damaged region was damaged, by this kind of damage, when all have had their turn. */
    int rounds(Damage.Kind kind) {
        return inflicted.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(kind + " "))
                .mapToInt(Map.Entry::getValue)
                .min()
                .orElse(0);
    }

    /**
     * Ends the victim and leaves its files as a SIGKILL would: without what the log writes at its end. It is cut off first, so
     * that it can promise nothing to anybody after the copy was taken.
     */
    private void endAsIfKilled() {
        cluster.isolate(VICTIM);
        Path directory = cluster.directoryOf(VICTIM);
        Path copy = directory.resolveSibling("copy");
        Awaitility.await("files that stay as they are while they are copied")
                .atMost(Duration.ofSeconds(20))
                .until(() -> copyIfStill(directory, copy));
        cluster.crash(VICTIM);
        cluster.awaitCrash(VICTIM);
        delete(directory);
        try {
            Files.move(copy, directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        cluster.heal();
    }

    private Outcome restart(Damage damage, boolean killed) throws IOException {
        synchronized (said) {
            said.list.clear();
        }
        String refusal = tryStart();
        List<String> messages = messages(damage);
        if (verbose || (refusal != null && !helps(damage, refusal))) {
            System.out.println("run " + runs + ": " + damage + (killed ? " after a kill: " : ": ")
                    + (refusal != null
                            ? "refused: " + refusal
                            : messages.isEmpty() ? "serves" : "serves, said " + messages));
        }
        if (refusal != null) {
            if (cluster.isRunning(VICTIM)) {
                cluster.stop(VICTIM);
            }
            if (!helps(damage, refusal)) {
                complaints.add(damage + ": does not name the file or what to do: " + refusal);
            }
            damage.undo();
            String again = tryStart();
            assertThat(again).as("%s: with the file as it was", damage).isNull();
            return Outcome.REFUSED;
        }
        String all = String.join("; ", messages).toLowerCase(Locale.ROOT);
        return MENTIONS_PEERS.matcher(all).find()
                ? Outcome.REPAIRED_FROM_PEERS
                : messages.isEmpty() ? Outcome.NO_EFFECT : Outcome.REPAIRED_ALONE;
    }

    /** Starts the victim; why it does not serve, or null if it does. */
    private @Nullable String tryStart() {
        try {
            cluster.restart(VICTIM);
        } catch (IllegalStateException e) {
            return e.getMessage();
        }
        try {
            cluster.node(VICTIM).awaitReady(Duration.ofSeconds(20));
            return null;
        } catch (ElastickvException e) {
            return e.getMessage();
        }
    }

    private static boolean helps(Damage damage, String message) {
        // Of a missing file only its directory is known.
        Path file = damage.file();
        boolean names = message.contains(file.getFileName().toString())
                || message.contains(file.getParent().toString());
        return names && REMEDY.matcher(message.toLowerCase(Locale.ROOT)).find();
    }

    /** What the victim said since its start that speaks of damage or repair. */
    private List<String> messages(Damage damage) {
        List<String> messages = new ArrayList<>();
        synchronized (said) {
            for (ILoggingEvent event : said.list) {
                String message = event.getFormattedMessage();
                boolean byVictim = event.getThreadName().startsWith("elastickv-" + LocalCluster.nameOf(VICTIM) + "-")
                        || message.contains("node " + LocalCluster.nameOf(VICTIM) + ":")
                        || message.contains(cluster.directoryOf(VICTIM).toString());
                boolean namesFile = event.getLevel().isGreaterOrEqual(Level.WARN)
                        && message.contains(damage.file().getFileName().toString());
                boolean speaksOfDamage = MENTIONS_DAMAGE
                        .matcher(message.toLowerCase(Locale.ROOT))
                        .find();
                if (byVictim && (namesFile || speaksOfDamage)) {
                    messages.add(event.getLevel() + " " + message);
                }
            }
        }
        return messages;
    }

    private void verify(Damage damage, Outcome outcome) {
        Awaitility.await(damage + ", " + outcome + ": the member has caught up")
                .atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(10))
                .until(this::victimHasCaughtUp);
        Awaitility.await(damage + ", " + outcome)
                .atMost(Duration.ofSeconds(10))
                .pollInterval(Duration.ofMillis(20))
                .untilAsserted(() -> assertThat(model.differences(cluster.store(VICTIM), ReadConsistency.local()))
                        .as("%s, %s: what the member has itself", damage, outcome)
                        .isEmpty());
        if (random.nextInt(4) == 0) {
            // And what it has beyond that, which only a leader tells.
            for (int shard = 0; shard < SHARDS; shard++) {
                cluster.node(0)
                        .cluster()
                        .transferLeadership(shard, LocalCluster.nameOf(VICTIM), Duration.ofSeconds(10));
            }
            assertThat(cluster.store(VICTIM).size())
                    .as("%s, %s", damage, outcome)
                    .isEqualTo(model.size());
            assertThat(model.differences(cluster.store(0), ReadConsistency.linearizable()))
                    .as("%s, %s: what the member answers as a leader", damage, outcome)
                    .isEmpty();
        }
    }

    private boolean victimHasCaughtUp() {
        try {
            for (int shard = 0; shard < SHARDS; shard++) {
                for (ReplicaInfo replica : cluster.node(0).cluster().replication(shard, Duration.ofSeconds(2))) {
                    if (replica.lag() > 0) {
                        return false;
                    }
                }
            }
            return true;
        } catch (ElastickvException e) {
            return false; // no leader for a moment
        }
    }

    /** Refusals whose messages do not help, in words. */
    List<String> complaints() {
        return complaints;
    }

    OutcomeTable table() {
        return table;
    }

    /** Copies a directory; false, without a copy, if a checkpoint was going on meanwhile. */
    private static boolean copyIfStill(Path from, Path to) {
        try {
            List<String> before = listing(from);
            for (Path file : files(from)) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
            if (listing(from).equals(before)) {
                return true;
            }
        } catch (NoSuchFileException e) {
            // Deleted between the listing and the copy.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (Files.exists(to)) {
            delete(to);
        }
        return false;
    }

    private static List<Path> files(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static List<String> listing(Path directory) throws IOException {
        List<String> lines = new ArrayList<>();
        for (Path file : files(directory)) {
            lines.add(file + " " + Files.size(file) + " " + Files.getLastModifiedTime(file));
        }
        return lines;
    }

    private static void delete(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        logger.detachAppender(said);
        logger.setAdditive(true);
        logger.setLevel(null);
        cluster.close();
    }
}
