package io.elastickv.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.elastickv.api.OperationInfo;
import io.elastickv.api.SlotRange;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** The report is one page that needs nothing else, with all that it was told. */
final class HotspotReportTest {

    private static final Instant START = Instant.ofEpochMilli(1_700_000_000_000L);

    private final HeatHistory heat = new HeatHistory(4);
    private final HotspotReport report = new HotspotReport("A <storm> & more", heat, "storm", "ops/s");

    private static OperationInfo split(String reason) {
        return new OperationInfo(
                7,
                OperationInfo.Kind.SPLIT_SHARD,
                OptionalInt.of(3),
                Optional.of(new SlotRange(100, 199)),
                "slots 100-199 of shard 3 become a shard",
                reason,
                "SPLIT",
                "",
                START.plusMillis(1_500),
                Optional.of(START.plusMillis(1_750)),
                OperationInfo.Outcome.DONE);
    }

    @Test
    void allThatItWasToldIsInThePage() {
        double[] slots = new double[16384];
        slots[100] = 1234.4;
        heat.add(START, slots);
        report.line("zipf", "12.3k");
        report.node(START, "n1", 1.25);
        report.traffic(START, 1234.5, 3.25);
        report.mark(START.plusSeconds(1), "automation on");
        report.operations(List.of(split("at 1.8 of the mean")));

        assertThat(report.html())
                .startsWith("<!DOCTYPE html>")
                .contains("\"heat\":[[0,1234,0,0,0]]")
                .contains("\"lines\":[[\"zipf\",\"12.3k\"]]")
                .contains("\"nodes\":[{\"name\":\"n1\",\"loads\":[[0,1.250]]}]")
                .contains("\"traffic\":[[0,1235,3.250]]")
                .contains("\"marks\":[[1000,\"automation on\"]]")
                .contains("\"from\":1500,\"to\":1750,\"slots\":[100,199]")
                .contains("\"start\":1700000000000,\"columns\":4")
                .doesNotContain("/*DATA*/");
    }

    @Test
    void itLoadsNothingFromAnywhere() {
        assertThat(report.html()).doesNotContainPattern("(src|href)=").doesNotContain("@import", "fetch(", "url(");
        assertThat(report.html().replace("http://www.w3.org/2000/svg", "")).doesNotContain("http");
    }

    @Test
    void noTextCanLeaveTheScript() {
        report.operations(List.of(split("</script><script>alert(1)</script> \"quoted\" \\ \u2028 \n")));
        String html = report.html();
        assertThat(html.split("</script>", -1)).hasSize(2);
        assertThat(html).contains("\\u003c/script\\u003e").contains("\\u0022quoted\\u0022 \\u005c \\u2028 \\u000a");
        assertThat(html).contains("\"title\":\"A \\u003cstorm\\u003e \\u0026 more\"");
    }

    @Test
    void aRunningOperationHasNoEnd() {
        OperationInfo done = split("x");
        report.operations(List.of(new OperationInfo(
                done.id(),
                done.kind(),
                done.shard(),
                Optional.empty(),
                done.what(),
                done.reason(),
                done.by(),
                done.note(),
                done.started(),
                Optional.empty(),
                OperationInfo.Outcome.RUNNING)));
        assertThat(report.html()).contains("\"outcome\":\"RUNNING\",\"from\":").doesNotContain("\"to\":", "\"slots\":");
    }

    @Test
    void anEmptyReportIsAPageToo() {
        assertThat(report.html()).contains("\"heat\":[]").contains("\"operations\":[]");
    }

    @Test
    void aRowHasACellForEachHeading() {
        assertThatIllegalArgumentException().isThrownBy(() -> report.line("one"));
    }
}
