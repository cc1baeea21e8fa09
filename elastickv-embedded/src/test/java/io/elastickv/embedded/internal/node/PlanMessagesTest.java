package io.elastickv.embedded.internal.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.elastickv.api.Automation;
import io.elastickv.api.OperationInfo;
import io.elastickv.api.PlanInfo;
import io.elastickv.api.PlannedOperation;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** A plan arrives as it was, whatever it says, and damage is refused. */
final class PlanMessagesTest {

    private static final PlannedOperation SPLIT = new PlannedOperation(
            OperationInfo.Kind.SPLIT_SHARD,
            OptionalInt.of(12),
            "slots 5-9 become a shard",
            "SPLIT",
            "at 1.8 of the mean");
    private static final PlannedOperation RELEASE = new PlannedOperation(
            OperationInfo.Kind.RELEASE_NODE, OptionalInt.empty(), "n4 may leave", "DRAIN", "empty");

    private final PlanInfo plan = new PlanInfo(
            List.of(SPLIT, RELEASE),
            List.of(new PlanInfo.NotDone("LOAD_BALANCE", "shard 3", "budget: 8 moves", 17)),
            "5 nodes, 8 shards",
            Automation.REPAIRS);

    @Test
    void aPlanArrivesAsItWas() {
        assertThat(PlanMessages.decode(PlanMessages.encode(plan))).isEqualTo(plan);
    }

    @Test
    void ofAVeryLongPlanTheFirstLinesAreTold() {
        PlanInfo large = new PlanInfo(
                Collections.nCopies(100_000, SPLIT),
                Collections.nCopies(100_000, new PlanInfo.NotDone("r", "s", "x".repeat(10_000), 1)),
                "",
                Automation.ALL);
        PlanInfo told = PlanMessages.decode(PlanMessages.encode(large));
        assertThat(told.operations()).hasSize(2_000).containsOnly(SPLIT);
        assertThat(told.notDone().get(0).reason()).hasSizeLessThan(5_000);
    }

    @Test
    void whatIsCutShortOrOfAnotherVersionIsRefused() {
        byte[] bytes = PlanMessages.encode(plan);
        for (int length = 0; length < bytes.length; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThatIllegalArgumentException().isThrownBy(() -> PlanMessages.decode(cut));
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PlanMessages.decode(Arrays.copyOf(bytes, bytes.length + 1)));
        bytes[0] = 3;
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PlanMessages.decode(bytes))
                .withMessageContaining("version 3");
    }
}
