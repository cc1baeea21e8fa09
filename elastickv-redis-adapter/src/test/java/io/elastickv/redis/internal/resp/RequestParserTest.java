package io.elastickv.redis.internal.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestParserTest {

    private static final RequestParser.Limits LIMITS = new RequestParser.Limits(1 << 20, 1024, 4 << 20);

    /** Requests of every form, and the arguments that they carry, joined with commas. */
    private static final List<String[]> REQUESTS = List.of(
            new String[] {"*1\r\n$4\r\nPING\r\n", "PING"},
            new String[] {"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n", "SET,a,"},
            new String[] {"*2\r\n$3\r\nGET\r\n$4\r\n\r\n\r\n\r\n", "GET,\r\n\r\n"},
            new String[] {"*0\r\n*-1\r\n\r\nPING\r\n", "PING"},
            new String[] {"PING\r\n", "PING"},
            new String[] {"SET \"a b\\x41\\n\" 'c\\'d'\n", "SET,a bA\n,c'd"},
            new String[] {"  ECHO \t x  \r\n", "ECHO,x"});

    private static List<String> parseAll(RequestParser parser, ByteBuf in) throws ProtocolException {
        List<String> requests = new ArrayList<>();
        for (byte[][] request = parser.next(in); request != null; request = parser.next(in)) {
            List<String> words = new ArrayList<>();
            for (byte[] word : request) {
                words.add(new String(word, ISO_8859_1));
            }
            requests.add(String.join(",", words));
        }
        return requests;
    }

    @Test
    void everySplitOfEveryRequestGivesTheSame() throws ProtocolException {
        StringBuilder stream = new StringBuilder();
        List<String> expected = new ArrayList<>();
        REQUESTS.forEach(request -> {
            stream.append(request[0]);
            expected.add(request[1]);
        });
        byte[] bytes = stream.toString().getBytes(ISO_8859_1);
        for (int first = 0; first <= bytes.length; first++) {
            for (int second = first; second <= bytes.length; second++) {
                RequestParser parser = new RequestParser(LIMITS);
                ByteBuf in = Unpooled.buffer();
                List<String> actual = new ArrayList<>();
                in.writeBytes(bytes, 0, first);
                actual.addAll(parseAll(parser, in));
                in.writeBytes(bytes, first, second - first);
                actual.addAll(parseAll(parser, in));
                in.writeBytes(bytes, second, bytes.length - second);
                actual.addAll(parseAll(parser, in));
                assertThat(actual).as("split at %d and %d", first, second).isEqualTo(expected);
                assertThat(in.isReadable()).isFalse();
            }
        }
    }

    @Test
    void mutatedFramesNeverEscapeNorAllocateMoreThanWasSent() {
        long seed = Long.getLong("elastickv.seed", System.nanoTime());
        Random random = new Random(seed);
        int errors = 0;
        int requests = 0;
        for (int round = 0; round < 100_000; round++) {
            byte[] bytes = (REQUESTS.get(random.nextInt(REQUESTS.size()))[0]
                            + REQUESTS.get(random.nextInt(REQUESTS.size()))[0])
                    .getBytes(ISO_8859_1);
            for (int i = 1 + random.nextInt(4); i > 0; i--) {
                mutate(bytes, random);
            }
            RequestParser parser = new RequestParser(LIMITS);
            ByteBuf in = Unpooled.buffer(bytes.length);
            int split = random.nextInt(bytes.length + 1);
            try {
                in.writeBytes(bytes, 0, split);
                requests += parseAndMeasure(parser, in, bytes.length);
                in.writeBytes(bytes, split, bytes.length - split);
                requests += parseAndMeasure(parser, in, bytes.length);
            } catch (ProtocolException e) {
                errors++;
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ", round " + round + ": " + new String(bytes, ISO_8859_1), e);
            }
        }
        assertThat(errors).isPositive();
        assertThat(requests).isPositive();
    }

    private static int parseAndMeasure(RequestParser parser, ByteBuf in, int sent) throws ProtocolException {
        int count = 0;
        for (byte[][] request = parser.next(in); request != null; request = parser.next(in)) {
            int bytes = 0;
            for (byte[] word : request) {
                bytes += word.length;
            }
            assertThat(bytes).isLessThanOrEqualTo(sent);
            assertThat(request.length).isPositive();
            count++;
        }
        return count;
    }

    private static void mutate(byte[] bytes, Random random) {
        int at = random.nextInt(bytes.length);
        switch (random.nextInt(4)) {
            case 0 -> bytes[at] = (byte) random.nextInt(256);
            case 1 -> bytes[at] = (byte) "0123456789-*$\r\n\"'\\ ".charAt(random.nextInt(19));
            case 2 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
            default -> System.arraycopy(bytes, 0, bytes, at, Math.min(at, bytes.length - at));
        }
    }

    @Test
    void announcedSizesAllocateNothing() throws ProtocolException {
        RequestParser parser = new RequestParser(new RequestParser.Limits(16 << 20, 1 << 20, 64 << 20));
        ByteBuf in = Unpooled.copiedBuffer("*1048576\r\n$16777216\r\n", ISO_8859_1);
        // Would take 16 MB for the array and 16 MB for the string, for each of many connections.
        List<RequestParser> parsers = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            RequestParser each =
                    i == 0 ? parser : new RequestParser(new RequestParser.Limits(16 << 20, 1 << 20, 64 << 20));
            assertThat(each.next(in.duplicate())).isNull();
            parsers.add(each);
        }
        assertThat(parsers).hasSize(2000);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "*1025|invalid multibulk length",
                "*x|invalid multibulk length",
                "*01|invalid multibulk length",
                "*1_$1048577|invalid bulk length",
                "*1_$-1|invalid bulk length",
                "*1_$536870912|invalid bulk length",
                "*1_+OK|expected '$', got '+'",
                "ping \"a|unbalanced quotes in request",
            })
    void errorsHaveTheTextsOfRedis(String input, String message) {
        ByteBuf in = Unpooled.copiedBuffer(input.replace("_", "\r\n") + "\r\n", ISO_8859_1);
        assertThatThrownBy(() -> new RequestParser(LIMITS).next(in))
                .isInstanceOf(ProtocolException.class)
                .hasMessage(message);
    }

    @Test
    void aRequestOfManyStringsIsBoundedAsAWhole() throws ProtocolException {
        RequestParser parser = new RequestParser(LIMITS);
        String string = "$1000000\r\n" + "x".repeat(1_000_000) + "\r\n";
        ByteBuf in = Unpooled.copiedBuffer("*10\r\n" + string.repeat(4), ISO_8859_1);
        assertThat(parser.next(in)).isNull();
        in.writeBytes("$1000000\r\n".getBytes(ISO_8859_1));
        assertThatThrownBy(() -> parser.next(in)).hasMessage("too big request");
    }

    @Test
    void longLinesWithoutEndAreRefused() {
        for (String[] each : new String[][] {
            {"", "too big inline request"},
            {"*", "too big mbulk count string"},
            {"*1\r\n$", "too big bulk count string"}
        }) {
            ByteBuf in = Unpooled.copiedBuffer(each[0] + "1".repeat(70_000), ISO_8859_1);
            assertThatThrownBy(() -> new RequestParser(LIMITS).next(in)).hasMessage(each[1]);
        }
    }

    @Test
    void withoutPasswordTheLimitsAreNarrow() {
        RequestParser parser = new RequestParser(LIMITS);
        parser.authenticated(false);
        assertThatThrownBy(() -> parser.next(Unpooled.copiedBuffer("*11\r\n", ISO_8859_1)))
                .hasMessage("unauthenticated multibulk length");
        assertThatThrownBy(() -> parser.next(Unpooled.copiedBuffer("*2\r\n$16385\r\n", ISO_8859_1)))
                .hasMessage("unauthenticated bulk length");
    }
}
