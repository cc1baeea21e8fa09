package io.elastickv.embedded.internal.raft.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConfigurationTest {

    private static final Configuration SOME = new Configuration(7, List.of("a", "bé"), List.of("c@1"));

    @Test
    void theBytesAreThoseOfFormatOne() {
        assertThat(HexFormat.of().formatHex(SOME.encode()))
                .isEqualTo("01" + "0000000000000007" + "0002000161000362c3a9" + "00010003634031");
    }

    @Test
    void bytesComeBackAsTheyWere() {
        assertThat(Configuration.decode(SOME.encode())).isEqualTo(SOME);
        assertThat(Configuration.decode(Configuration.EMPTY.encode())).isEqualTo(Configuration.EMPTY);
    }

    @Test
    void everyPrefixAndEveryChangedByteIsRefusedOrReadsAsAnother() {
        byte[] bytes = SOME.encode();
        for (int length = 0; length < bytes.length; length++) {
            byte[] prefix = Arrays.copyOf(bytes, length);
            assertThatThrownBy(() -> Configuration.decode(prefix)).isInstanceOf(MalformedMessageException.class);
        }
        for (int i = 0; i < bytes.length; i++) {
            byte[] changed = bytes.clone();
            changed[i] ^= 0x55;
            try {
                assertThat(Configuration.decode(changed)).isNotEqualTo(SOME);
            } catch (MalformedMessageException e) {
                assertThat(e).hasMessageContaining("configuration");
            }
        }
    }

    @Test
    void nobodyIsNamedTwice() {
        assertThatThrownBy(() -> new Configuration(List.of("a"), List.of("a")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("twice");
    }

    @Test
    void membersComeRiseAndGo() {
        Configuration one = Configuration.of(List.of("a"));
        Configuration grown = one.withLearner("b");
        assertThat(grown.isLearner("b")).isTrue();
        assertThat(grown.promoted("b").voters()).containsExactly("a", "b");
        assertThat(grown.promoted("b").without("a").members()).containsExactly("b");
        assertThat(one.version()).isZero();
        assertThat(grown.promoted("b").without("a").version()).isEqualTo(3);
        assertThatThrownBy(() -> one.promoted("c")).isInstanceOf(IllegalArgumentException.class);
    }
}
