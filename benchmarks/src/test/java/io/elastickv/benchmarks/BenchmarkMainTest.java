package io.elastickv.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class BenchmarkMainTest {

    @ParameterizedTest
    @CsvSource({
        "--seconds 0,--seconds 0: must be within 1-3600",
        "--outstanding 0,--outstanding 0: must be within",
        "--ops frob,'frob' is none of the choices",
        "--fill -1,--fill -1: must be within",
        "--rejoin -1,--rejoin -1: must be within",
        "--load 0,--load 0: must be within",
        "--fill 1 --restart 1,choose one of them",
        "--frob,Unknown option",
    })
    void wrongOptionsAreNamed(String arguments, String message) {
        StringWriter err = new StringWriter();
        CommandLine line = BenchmarkMain.commandLine(new BenchmarkMain()).setErr(new PrintWriter(err));
        assertThat(line.execute(arguments.split(" "))).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString()).contains(message);
    }
}
