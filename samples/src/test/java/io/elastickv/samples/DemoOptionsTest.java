package io.elastickv.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine.ParameterException;

class DemoOptionsTest {

    private static List<NodeSettings> nodes(String... arguments) {
        return options(arguments).nodes();
    }

    private static DemoOptions options(String... arguments) {
        DemoMain demo = new DemoMain();
        DemoMain.commandLine(demo).parseArgs(arguments);
        return demo.options();
    }

    @Test
    void threeNodesByDefault() {
        List<String> members = List.of("127.0.0.1:7801", "127.0.0.1:7802", "127.0.0.1:7803");
        assertThat(nodes())
                .containsExactly(
                        new NodeSettings("n1", "127.0.0.1", 7801, members, "127.0.0.1", 63791, null),
                        new NodeSettings("n2", "127.0.0.1", 7802, members, "127.0.0.1", 63792, null),
                        new NodeSettings("n3", "127.0.0.1", 7803, members, "127.0.0.1", 63793, null));
    }

    @Test
    void threeNodesShareADirectoryAndTakePortsInARow() {
        assertThat(nodes("--port", "9000", "--redis-port", "0", "--data", "d"))
                .extracting(NodeSettings::port, NodeSettings::redisPort, NodeSettings::data)
                .containsExactly(
                        tuple(9000, 0, Path.of("d", "n1")),
                        tuple(9001, 0, Path.of("d", "n2")),
                        tuple(9002, 0, Path.of("d", "n3")));
    }

    @Test
    void oneNodeTakesWhatItIsGiven() {
        assertThat(nodes(
                        "--node=a",
                        "--host=h1",
                        "--port=1",
                        "--seeds=h1:1,h2:2",
                        "--redis-host=::1",
                        "--redis-port=6",
                        "--data=d"))
                .containsExactly(new NodeSettings("a", "h1", 1, List.of("h1:1", "h2:2"), "::1", 6, Path.of("d")));
    }

    @Test
    void oneNodeWithoutSeedsIsAClusterOfItsOwn() {
        assertThat(nodes("--node", "a"))
                .containsExactly(new NodeSettings("a", "127.0.0.1", 7801, List.of(), "127.0.0.1", 63791, null));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--seeds a:1|--seeds needs --node",
                "--port 65534|--port 65534: must be within 1-65533",
                "--port 0|--port 0: must be within 1-65533",
                "--node a --port 70000|--port 70000: must be within 1-65535",
                "--redis-port -1|--redis-port -1: must be within 0-65533",
                "--port 100 --redis-port 102|--port 100 and --redis-port 102",
                "--node a --port 7 --redis-port 7|--port 7 and --redis-port 7: they must differ",
                "--port x|'x' is not an int",
                "--durability none|'none' is not fsync or memory",
                "--storage disk|'disk' is not off-heap or heap",
                "--frob|Unknown option: '--frob'",
            })
    void whatCannotBeIsNamed(String arguments, String message) {
        assertThatThrownBy(() -> nodes(arguments.split(" ")))
                .isInstanceOf(ParameterException.class)
                .hasMessageContaining(message);
    }

    @Test
    void choicesAreWrittenAsPeopleDo() {
        options("--storage", "off-heap", "--durability", "memory");
        options("--storage", "HEAP", "--durability", "Fsync");
    }

    @Test
    void noPasswordUnlessGiven() {
        // The build does not set the variable that is its default.
        assertThat(options().password()).isEqualTo(System.getenv("ELASTICKV_PASSWORD"));
        assertThat(options("--password", "secret").password()).isEqualTo("secret");
    }

    @Test
    void addressesOfIpv6AreBracketed() {
        assertThat(DemoOptions.address("::1", 5)).isEqualTo("[::1]:5");
        assertThat(DemoOptions.address("host", 5)).isEqualTo("host:5");
    }
}
