package io.elastickv.api;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class BytesTest {

    @Test
    void whatWasCopiedInDoesNotChangeWithItsSource() {
        byte[] source = {1, 2, 3};
        Bytes bytes = Bytes.copyOf(source);
        source[0] = 9;
        assertThat(bytes.toByteArray()).containsExactly(1, 2, 3);
    }

    @Test
    void whatIsCopiedOutMayBeChanged() {
        Bytes bytes = Bytes.copyOf(new byte[] {1, 2, 3});
        bytes.toByteArray()[0] = 9;
        assertThat(bytes.byteAt(0)).isEqualTo((byte) 1);
    }

    @Test
    void aRangeIsCopied() {
        assertThat(Bytes.copyOf(new byte[] {1, 2, 3, 4}, 1, 2)).isEqualTo(Bytes.copyOf(new byte[] {2, 3}));
        assertThat(Bytes.copyOf(new byte[0], 0, 0)).isEqualTo(Bytes.empty());
    }

    @Test
    void aRangeOutsideTheArrayIsRefused() {
        byte[] array = new byte[4];
        assertThatThrownBy(() -> Bytes.copyOf(array, 3, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> Bytes.copyOf(array, -1, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> Bytes.copyOf(array, 0, -1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> Bytes.copyOf(array, 1, Integer.MAX_VALUE))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> Bytes.empty().byteAt(0)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void equalBytesAreEqualAndHashEqually() {
        assertThat(Bytes.utf8("abc"))
                .isEqualTo(Bytes.copyOf("abc".getBytes(UTF_8)))
                .hasSameHashCodeAs(Bytes.copyOf("abc".getBytes(UTF_8)))
                .isNotEqualTo(Bytes.utf8("abd"))
                .isNotEqualTo(Bytes.utf8("ab"))
                .isNotEqualTo("abc");
    }

    @Test
    void orderIsThatOfUnsignedBytes() {
        List<Bytes> ordered = Arrays.asList(
                Bytes.empty(),
                Bytes.copyOf(new byte[] {0}),
                Bytes.copyOf(new byte[] {0, 0}),
                Bytes.copyOf(new byte[] {0x7f}),
                Bytes.copyOf(new byte[] {(byte) 0x80}),
                Bytes.copyOf(new byte[] {(byte) 0xff}));
        for (int i = 0; i < ordered.size(); i++) {
            for (int j = 0; j < ordered.size(); j++) {
                assertThat(Integer.signum(ordered.get(i).compareTo(ordered.get(j))))
                        .isEqualTo(Integer.compare(i, j));
            }
        }
    }

    @Test
    void textSurvivesTheWayThereAndBack() {
        String text = "gr\u00fc\u00df, \ud83d\ude00";
        assertThat(Bytes.utf8(text).toUtf8()).isEqualTo(text);
        assertThat(Bytes.utf8("").isEmpty()).isTrue();
        assertThat(Bytes.utf8("ab").length()).isEqualTo(2);
    }

    @Test
    void malformedTextBecomesTheReplacementCharacter() {
        assertThat(Bytes.copyOf(new byte[] {(byte) 0xff}).toUtf8()).isEqualTo("\ufffd");
    }

    @Test
    void itsTextTellsNothingOfTheContent() {
        assertThat(Bytes.utf8("secret")).hasToString("Bytes[6]");
    }

    @Test
    void unsafeBytesDoNotCopy() {
        byte[] array = {1, 2};
        assertThat(UnsafeBytes.array(UnsafeBytes.wrap(array))).isSameAs(array);
    }
}
