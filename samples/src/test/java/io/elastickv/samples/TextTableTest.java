package io.elastickv.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TextTableTest {

    @Test
    void columnsAreAsWideAsTheirWidestCell() {
        TextTable table = new TextTable("A", "LONGER", "C");
        table.row("value", "x", "");
        assertThat(table.toString().lines()).containsExactly("A      LONGER  C", "value  x");
    }

    @Test
    void aRowMustFit() {
        TextTable table = new TextTable("A", "B");
        assertThatThrownBy(() -> table.row("only one")).isInstanceOf(IllegalArgumentException.class);
    }
}
