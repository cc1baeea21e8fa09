package io.elastickv.samples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.api.OperationInfo;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * What happened to a cluster under load, as one static page that needs nothing else: a heat map of the slots over time, the
 * operations on a time line below it, the load of each node, throughput and latency. For one thread, but for {@link #mark}.
 */
final class HotspotReport {

    private static final String TEMPLATE = "hotspot-report.html";
    private static final String PLACE = "/*DATA*/null";

    /** A row of the table at the top. */
    record Line(List<String> cells) {}

    private record Mark(Instant time, String text) {}

    private final String title;
    private final HeatHistory heat;
    private final Map<String, Map<Instant, Double>> nodes = new TreeMap<>();
    private final Map<Instant, double[]> traffic = new TreeMap<>();
    private final List<Mark> marks = new CopyOnWriteArrayList<>();
    private final List<OperationInfo> operations = new ArrayList<>();
    private final List<Line> lines = new ArrayList<>();
    private final List<String> headings;

    /**
     * An empty report.
     *
     * @param heat the heat map; may still grow
     * @param headings of the table at the top
     */
    HotspotReport(String title, HeatHistory heat, String... headings) {
        this.title = title;
        this.heat = heat;
        this.headings = List.of(headings);
    }

    /** Adds a row to the table. */
    void line(String... cells) {
        if (cells.length != headings.size()) {
            throw new IllegalArgumentException(cells.length + " cells for " + headings.size() + " columns");
        }
        lines.add(new Line(List.of(cells)));
    }

    /** A node's load at a moment, in terms of the mean of all. */
    void node(Instant time, String node, double load) {
        nodes.computeIfAbsent(node, unseen -> new TreeMap<>()).put(time, load);
    }

    /** What was done in the second before a moment. */
    void traffic(Instant time, double opsPerSecond, double p99Millis) {
        traffic.put(time, new double[] {opsPerSecond, p99Millis});
    }

    /** Something that the one who runs the load did. Any thread. */
    void mark(Instant time, String text) {
        marks.add(new Mark(time, text));
    }

    /** The operations to show; replaces those shown before. */
    void operations(List<OperationInfo> all) {
        operations.clear();
        operations.addAll(all);
    }

    /** The page. */
    String html() {
        String template = template();
        int at = template.indexOf(PLACE);
        return template.substring(0, at) + json() + template.substring(at + PLACE.length());
    }

    private static String template() {
        try (InputStream in = HotspotReport.class.getResourceAsStream(TEMPLATE)) {
            if (in == null) {
                throw new IllegalStateException("the jar lacks " + TEMPLATE);
            }
            return new String(in.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Instant start() {
        return heat.rows().isEmpty() ? Instant.EPOCH : heat.rows().get(0).time();
    }

    private String json() {
        Json json = new Json();
        long start = start().toEpochMilli();
        json.object()
                .name("title")
                .text(title)
                .name("start")
                .number(start)
                .name("columns")
                .number(heat.columns());
        json.name("headings").array();
        headings.forEach(json::text);
        json.end().name("lines").array();
        for (Line line : lines) {
            json.array();
            line.cells().forEach(json::text);
            json.end();
        }
        json.end().name("heat").array();
        for (HeatHistory.Row row : heat.rows()) {
            json.array().number(row.time().toEpochMilli() - start);
            for (double load : row.loads()) {
                json.number(Math.round(load));
            }
            json.end();
        }
        json.end().name("nodes").array();
        nodes.forEach((node, loads) -> {
            json.object().name("name").text(node).name("loads").array();
            loads.forEach((time, load) -> json.array()
                    .number(time.toEpochMilli() - start)
                    .decimal(load)
                    .end());
            json.end().end();
        });
        json.end().name("traffic").array();
        traffic.forEach((time, values) -> json.array()
                .number(time.toEpochMilli() - start)
                .number(Math.round(values[0]))
                .decimal(values[1])
                .end());
        json.end().name("marks").array();
        marks.forEach(mark -> json.array()
                .number(mark.time().toEpochMilli() - start)
                .text(mark.text())
                .end());
        json.end().name("operations").array();
        operations.forEach(operation -> operation(json, operation, start));
        json.end().end();
        return json.toString();
    }

    private static void operation(Json json, OperationInfo operation, long start) {
        json.object().name("id").number(operation.id());
        json.name("kind").text(operation.kind().name());
        json.name("what").text(operation.what());
        json.name("why").text(operation.reason());
        json.name("by").text(operation.by());
        json.name("note").text(operation.note());
        json.name("outcome").text(operation.outcome().name());
        json.name("from").number(operation.started().toEpochMilli() - start);
        operation.ended().ifPresent(end -> json.name("to").number(end.toEpochMilli() - start));
        operation
                .slots()
                .ifPresent(slots -> json.name("slots")
                        .array()
                        .number(slots.first())
                        .number(slots.last())
                        .end());
        json.end();
    }

    /** Writes JSON that may stand in a script of a page: no text in it can end the script. */
    private static final class Json {

        private final StringBuilder text = new StringBuilder();
        private final StringBuilder open = new StringBuilder();
        private boolean first = true;

        private void comma() {
            if (!first) {
                text.append(',');
            }
            first = false;
        }

        private Json open(char opening, char closing) {
            comma();
            text.append(opening);
            open.append(closing);
            first = true;
            return this;
        }

        Json object() {
            return open('{', '}');
        }

        Json array() {
            return open('[', ']');
        }

        Json end() {
            text.append(open.charAt(open.length() - 1));
            open.setLength(open.length() - 1);
            first = false;
            return this;
        }

        Json name(String name) {
            text(name);
            text.append(':');
            first = true;
            return this;
        }

        Json number(long value) {
            comma();
            text.append(value);
            return this;
        }

        Json decimal(double value) {
            comma();
            text.append(Double.isFinite(value) ? String.format(Locale.ROOT, "%.3f", value) : "null");
            return this;
        }

        Json text(String value) {
            comma();
            text.append('"');
            for (int i = 0; i < value.length(); i++) {
                char c = value.charAt(i);
                if (c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c >= 0x7f) {
                    text.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                } else {
                    text.append(c);
                }
            }
            text.append('"');
            return this;
        }

        @Override
        public String toString() {
            return text.toString();
        }
    }
}
