package io.elastickv.api;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Vectors from the Redis Cluster specification and from {@code CLUSTER KEYSLOT} of Redis 7. */
class KeySlotTest {

    private static int slot(String key) {
        return KeySlot.of(Bytes.utf8(key));
    }

    @Test
    void theChecksumIsCrc16Xmodem() {
        assertThat(slot("123456789")).isEqualTo(0x31C3 % KeySlot.COUNT);
    }

    @ParameterizedTest
    @CsvSource({"foo, 12182", "bar, 5061", "hello, 866", "a, 15495", "key, 12539", "user1000, 3443"})
    void knownKeysAreInTheSlotsThatRedisGivesThem(String key, int slot) {
        assertThat(slot(key)).isEqualTo(slot);
        assertThat(KeySlot.of(key.getBytes(UTF_8))).isEqualTo(slot);
    }

    @Test
    void keysWithTheSameTagShareASlot() {
        assertThat(slot("{user1000}.following"))
                .isEqualTo(slot("{user1000}.followers"))
                .isEqualTo(slot("user1000"));
        assertThat(slot("prefix{user1000}")).isEqualTo(slot("user1000"));
    }

    @Test
    void anEmptyTagIsNone() {
        assertThat(slot("foo{}{bar}")).isEqualTo(wholeKey("foo{}{bar}")).isNotEqualTo(slot("bar"));
        assertThat(slot("{}")).isEqualTo(wholeKey("{}"));
    }

    @Test
    void theTagEndsAtTheFirstClosingBrace() {
        assertThat(slot("foo{{bar}}zap")).isEqualTo(wholeKey("{bar"));
        assertThat(slot("foo{bar}{zap}")).isEqualTo(slot("bar"));
        assertThat(slot("}{bar}")).isEqualTo(slot("bar"));
    }

    @Test
    void aTagThatDoesNotEndIsNone() {
        assertThat(slot("foo{bar")).isEqualTo(wholeKey("foo{bar"));
        assertThat(slot("foo}bar{")).isEqualTo(wholeKey("foo}bar{"));
        assertThat(slot("{")).isEqualTo(wholeKey("{"));
    }

    @Test
    void anyBytesHaveTheSlotOfTheReferenceAlgorithm() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            byte[] key = new byte[random.nextInt(40)];
            random.nextBytes(key);
            if (random.nextBoolean() && key.length > 0) {
                key[random.nextInt(key.length)] = '{';
                key[random.nextInt(key.length)] = '}';
            }
            assertThat(KeySlot.of(key)).as("seed %d, key %d", seed, i).isEqualTo(crc16(tagged(key)) % KeySlot.COUNT);
        }
    }

    /** The slot of all of the key, whatever braces are in it. */
    private static int wholeKey(String key) {
        return crc16(key.getBytes(UTF_8)) % KeySlot.COUNT;
    }

    private static byte[] tagged(byte[] key) {
        String text = new String(key, java.nio.charset.StandardCharsets.ISO_8859_1);
        int open = text.indexOf('{');
        int close = open < 0 ? -1 : text.indexOf('}', open + 1);
        String hashed = close > open + 1 ? text.substring(open + 1, close) : text;
        return hashed.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
    }

    /** Bit by bit, from the definition: polynomial 0x1021, initial value 0, nothing reflected. */
    private static int crc16(byte[] bytes) {
        int crc = 0;
        for (byte b : bytes) {
            for (int bit = 7; bit >= 0; bit--) {
                boolean feedback = ((crc >> 15) & 1) != ((b >> bit) & 1);
                crc = (crc << 1) & 0xffff;
                if (feedback) {
                    crc ^= 0x1021;
                }
            }
        }
        return crc;
    }
}
