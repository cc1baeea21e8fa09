package io.elastickv.samples;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.OperationInfo;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

final class ScalingDemoTest {

    @Test
    void operationsAreCountedByKindAndOutcome() {
        assertThat(ScalingDemo.kinds(List.of(move(1), move(2)))).isEqualTo("2 operations: {move replica running=2}");
        assertThat(ScalingDemo.kinds(List.of())).isEqualTo("0 operations: {}");
    }

    private static OperationInfo move(long id) {
        return new OperationInfo(
                id,
                OperationInfo.Kind.MOVE_REPLICA,
                OptionalInt.of(1),
                Optional.empty(),
                "replica of shard 1 from n1 to n2",
                "why",
                "LOAD_BALANCE",
                "",
                Instant.EPOCH,
                Optional.empty(),
                OperationInfo.Outcome.RUNNING);
    }
}
