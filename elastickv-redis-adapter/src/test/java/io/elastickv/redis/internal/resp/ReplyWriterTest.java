package io.elastickv.redis.internal.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReplyWriterTest {

    private static String written(Reply reply, boolean resp3) {
        StringBuilder text = new StringBuilder();
        ReplyWriter writer = new ReplyWriter(UnpooledByteBufAllocator.DEFAULT, bytes -> append(text, bytes));
        writer.write(reply, resp3);
        writer.flush();
        return text.toString();
    }

    private static void append(StringBuilder text, ByteBuf bytes) {
        text.append(bytes.toString(ISO_8859_1));
        bytes.release();
    }

    private static void assertWritten(Reply reply, String resp2, String resp3) {
        assertThat(written(reply, false)).isEqualTo(resp2);
        assertThat(written(reply, true)).isEqualTo(resp3);
    }

    @Test
    void eachKindHasItsFormInEachVersion() {
        assertWritten(Replies.OK, "+OK\r\n", "+OK\r\n");
        assertWritten(Replies.NULL, "$-1\r\n", "_\r\n");
        assertWritten(Replies.NULL_ARRAY, "*-1\r\n", "_\r\n");
        assertWritten(Replies.NONE, "", "");
        assertWritten(Reply.bulk("ab"), "$2\r\nab\r\n", "$2\r\nab\r\n");
        assertWritten(Reply.bulk(""), "$0\r\n\r\n", "$0\r\n\r\n");
        assertWritten(Reply.verbatim("ab"), "$2\r\nab\r\n", "=6\r\ntxt:ab\r\n");
        assertWritten(Reply.map("a", 1), "*2\r\n$1\r\na\r\n:1\r\n", "%1\r\n$1\r\na\r\n:1\r\n");
        assertWritten(new Reply.Group(List.of(Replies.ONE)), "*1\r\n:1\r\n", "~1\r\n:1\r\n");
        assertWritten(Reply.array(Replies.NULL, Replies.ZERO), "*2\r\n$-1\r\n:0\r\n", "*2\r\n_\r\n:0\r\n");
        assertWritten(Reply.error("ERR a\r\nb"), "-ERR a  b\r\n", "-ERR a  b\r\n");
        assertWritten(Reply.simple("string"), "+string\r\n", "+string\r\n");
    }

    @Test
    void integersOfEveryLength() {
        for (long value = 1; value > 0 && value < Long.MAX_VALUE / 10; value *= 10) {
            for (long each : new long[] {value - 1, value, -value, value + 1}) {
                assertThat(written(new Reply.Int(each), false)).isEqualTo(":" + each + "\r\n");
            }
        }
        for (long each : new long[] {Long.MAX_VALUE, Long.MIN_VALUE, Long.MIN_VALUE + 1, 1_000_000_000_000_000_000L}) {
            assertThat(written(new Reply.Int(each), false)).isEqualTo(":" + each + "\r\n");
        }
    }

    @Test
    void largeStringsKeepTheirPlace() {
        String large = "x".repeat(100_000);
        assertThat(written(Reply.array(Reply.bulk("a"), Reply.bulk(large), Reply.bulk("b")), false))
                .isEqualTo("*3\r\n$1\r\na\r\n$100000\r\n" + large + "\r\n$1\r\nb\r\n");
    }
}
