package io.elastickv.embedded.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.OverloadedException;
import io.elastickv.embedded.internal.command.Command;
import org.junit.jupiter.api.Test;

class AdmissionTest {

    private static Operation operation() {
        return new Operation.Write(Operation.NO_SLOT, new Command.Clear(), 0, 0, new Told<>());
    }

    @Test
    void noMoreOperationsAreAdmittedThanAllowed() {
        Admission admission = new Admission(2, 1000);
        Operation first = operation();
        assertThat(admission.admit(first, 1)).isNull();
        assertThat(admission.admit(operation(), 1)).isNull();
        Operation third = operation();
        OverloadedException refusal = admission.admit(third, 1);
        assertThat(refusal).hasMessage("this node has 2 operations of 2 bytes under way; admitted are 2 of 1000 bytes");
        assertThat(refusal.retryAfter()).isPositive();
        admission.release(third);
        assertThat(admission.operations()).as("who was refused holds nothing").isEqualTo(2);
        admission.release(first);
        assertThat(admission.admit(third, 1)).isNull();
    }

    @Test
    void noMoreBytesAreAdmittedThanAllowed() {
        Admission admission = new Admission(100, 1000);
        assertThat(admission.admit(operation(), 600)).isNull();
        assertThat(admission.admit(operation(), 401)).isNotNull();
        assertThat(admission.admit(operation(), 400)).isNull();
        assertThat(admission.bytes()).isEqualTo(1000);
    }

    @Test
    void oneOperationAloneIsAdmittedHoweverLarge() {
        Admission admission = new Admission(1, 10);
        Operation large = operation();
        assertThat(admission.admit(large, 1_000_000)).isNull();
        assertThat(admission.admit(operation(), 0)).isNotNull();
        admission.release(large);
        assertThat(admission.bytes()).isZero();
        assertThat(admission.operations()).isZero();
    }

    @Test
    void whatIsHeldIsGivenBackOnce() {
        Admission admission = new Admission(10, 1000);
        Operation operation = operation();
        admission.admit(operation, 7);
        admission.release(operation);
        admission.release(operation);
        assertThat(admission.operations()).isZero();
        assertThat(admission.bytes()).isZero();
    }

    @Test
    void theLibrarysOwnOperationsHoldNothing() {
        Admission admission = new Admission(10, 1000);
        admission.release(operation());
        assertThat(admission.operations()).isZero();
    }
}
