package io.elastickv.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.Bytes;
import io.elastickv.api.ReadConsistency;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class ClientArgumentsTest {

    @ParameterizedTest
    @CsvSource({"0ms, PT0S", "500ms, PT0.5S", "10s, PT10S", "2m, PT2M", "3h, PT3H", "7d, PT168H"})
    void readsDurations(String text, Duration expected) {
        assertThat(ClientArguments.duration(text)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "10", "s", "-1s", "1.5s", "10 s", "99999999999s"})
    void refusesWhatIsNoDuration(String text) {
        assertThatThrownBy(() -> ClientArguments.duration(text))
                .isInstanceOf(TypeConversionException.class)
                .hasMessageContaining("'" + text + "'");
    }

    @Test
    void readsConsistencies() {
        assertThat(ClientArguments.consistency("linearizable")).isSameAs(ReadConsistency.linearizable());
        assertThat(ClientArguments.consistency("local")).isSameAs(ReadConsistency.local());
        ReadConsistency stale = ClientArguments.consistency("stale=250ms");
        assertThat(stale.kind()).isEqualTo(ReadConsistency.Kind.BOUNDED_STALE);
        assertThat(stale.maxStaleness()).isEqualTo(Duration.ofMillis(250));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "eventual", "stale", "stale=", "stale=soon"})
    void refusesOtherConsistencies(String text) {
        assertThatThrownBy(() -> ClientArguments.consistency(text)).isInstanceOf(TypeConversionException.class);
    }

    @Test
    void printsKeysAsOneLine() {
        assertThat(ClientArguments.printable(Bytes.utf8("plain key"))).isEqualTo("plain key");
        assertThat(ClientArguments.printable(Bytes.utf8("schlüssel"))).isEqualTo("schlüssel");
        assertThat(ClientArguments.printable(Bytes.utf8("a\nb\\c\u001b"))).isEqualTo("a\\x0ab\\\\c\\x1b");
        assertThat(ClientArguments.printable(Bytes.copyOf(new byte[] {(byte) 0xff, 'a', '\\', 0})))
                .isEqualTo("\\xffa\\\\\\x00");
    }

    @Test
    void comparesStarts() {
        assertThat(ClientArguments.startsWith(Bytes.utf8("abc"), new byte[0])).isTrue();
        assertThat(ClientArguments.startsWith(Bytes.utf8("abc"), new byte[] {'a', 'b'}))
                .isTrue();
        assertThat(ClientArguments.startsWith(Bytes.utf8("abc"), new byte[] {'b'}))
                .isFalse();
        assertThat(ClientArguments.startsWith(Bytes.utf8("a"), new byte[] {'a', 'b'}))
                .isFalse();
    }
}
