package io.elastickv.redis.internal.command;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GlobTest {

    private static boolean matches(String pattern, String text) {
        return Glob.of(pattern.getBytes(UTF_8), false).matches(text.getBytes(UTF_8));
    }

    @ParameterizedTest
    @CsvSource({
        "*,'',true",
        "*,abc,true",
        "a*c,abbbc,true",
        "a*c,abbb,false",
        "h?llo,hello,true",
        "h?llo,hllo,false",
        "h[ae]llo,hallo,true",
        "h[^e]llo,hello,false",
        "h[a-c]llo,hbllo,true",
        "h[c-a]llo,hbllo,true",
        "*a*b*,xxaxxbxx,true",
        "**,x,true",
        "a\\*b,a*b,true",
        "a\\*b,aab,false",
        "[]a],a,false",
        "'','',true",
        "'',a,false",
        "[a-,-,true",
        "a[,a,false",
        "*[0-9],key1,true",
        "*[0-9],key,false"
    })
    void patternsAreReadAsRedisReadsThem(String pattern, String text, boolean expected) {
        assertThat(matches(pattern, text)).isEqualTo(expected);
    }

    @Test
    void caseIsIgnoredWhereAskedFor() {
        assertThat(Glob.of("MaX[m-O]*".getBytes(UTF_8), true).matches("maxNemory".getBytes(UTF_8)))
                .isTrue();
    }

    @Test
    void manyStarsDoNotTakeExponentialTime() {
        String pattern = "*a".repeat(2000) + "b";
        String text = "a".repeat(10_000);
        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(10), () -> assertThat(matches(pattern, text)).isFalse());
    }
}
