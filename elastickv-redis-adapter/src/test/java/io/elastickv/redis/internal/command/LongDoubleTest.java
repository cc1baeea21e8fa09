package io.elastickv.redis.internal.command;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The sums are those that a Redis server gave. */
class LongDoubleTest {

    private static LongDouble parse(String text) {
        return LongDouble.parse(text.getBytes(ISO_8859_1));
    }

    @ParameterizedTest
    @CsvSource({
        "0.1,0.2,0.3",
        "1.1,2.2,3.3",
        "10.5,0.1,10.6",
        "3.0e3,200,3200",
        "1,1e-17,1.00000000000000001",
        "100000000000000000,0.5,100000000000000000.5",
        "99999999999999999999,0.5,100000000000000000000",
        "0x10,0x1p-2,16.25",
        "-1,1,0",
        "0,-0.00000000000000000001,0",
        "5,-5.5,-0.5"
    })
    void sumsAreThoseOfLongDoubles(String a, String b, String sum) {
        assertThat(parse(a).plus(parse(b))).hasToString(sum);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " 1",
                "1 ",
                "abc",
                "nan",
                "1e",
                ".",
                "1e5000",
                "-1e5000",
                "1e-5000",
                "0x",
                "1e99999999999",
                "--1",
                "1,5"
            })
    void whatIsNoNumberIsRefused(String text) {
        assertThatThrownBy(() -> parse(text)).hasMessage("ERR value is not a valid float");
    }

    @ParameterizedTest
    @ValueSource(strings = {"inf", "-inf", "Infinity", "1.1e4932"})
    void sumsMustBeFinite(String text) {
        LongDouble value = parse(text);
        assertThatThrownBy(() -> value.plus(value)).hasMessage("ERR increment would produce NaN or Infinity");
    }
}
