package io.elastickv.embedded.internal.placement;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.shard.MeterReading;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.shard.SlotRanges;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A report of a real state machine. */
final class LoadReporterTest {

    private long nanos = 1;

    @Test
    void commandsAndQueriesOfAShardAreItsLoad() {
        try (ShardStateMachine machine =
                ShardStateMachine.create(4, 1, SlotRanges.of(0, 16383), StorageEngine.HEAP, StorageOptions.DEFAULTS)) {
            LoadReporter reporter = new LoadReporter(
                    "n1",
                    () -> List.of(new LoadReporter.Metered(4, 3, true, true, machine.size(), 77, machine.meter())),
                    () -> 1L << 30,
                    () -> nanos);
            byte[] key = "k".getBytes(UTF_8);
            machine.apply(1, put(key)); // before anybody looked: not load, but recovery
            reporter.report(0);
            for (int i = 2; i < 12; i++) {
                machine.apply(i, put(key));
                machine.query(new Query.Get(key), 0);
                machine.queryLocal(new Query.Describe(key), 0);
                machine.query(new Query.GetMany(List.of(key, key)), 0);
            }
            nanos += 1_000_000_000L;
            LoadReport report = reporter.report(1_000);

            assertThat(report.node()).isEqualTo("n1");
            assertThat(report.freeBytes()).isEqualTo(1L << 30);
            LoadReport.Replica replica = report.replicas().get(0);
            assertThat(replica.entries()).isEqualTo(1);
            MeterReading reading = replica.reading();
            double weight = 1 - Math.exp(-1 / 3.0);
            assertThat(reading.writesPerSecond()).isCloseTo(10 * weight, within(1e-6));
            assertThat(reading.readsPerSecond()).isCloseTo(40 * weight, within(1e-6));
            assertThat(reading.readBytesPerSecond()).isCloseTo((10 + 3 * 10 * 101) * weight + 0, within(1e-6));
            assertThat(reading.slots()).hasSize(1);
            assertThat(reading.applyNanosPerSecond()).isPositive();
        }
    }

    private static byte[] put(byte[] key) {
        return CommandCodec.encode(
                Envelope.of(new Command.Put(key, new byte[100], Precondition.ALWAYS, ExpiryChange.NEVER, false)));
    }
}
