package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The snippet that every reader tries first compiles as it stands, and runs with the flags that stand beside it. */
@Timeout(120)
class ReadmeTest {

    private static final int MAX_LINES = 17;
    private static final Pattern SNIPPET = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final Pattern CLASS = Pattern.compile("class (\\w+)");
    private static final Pattern FLAG = Pattern.compile("--[a-z][-a-z]+=[^\\s`]+");

    @TempDir
    Path directory;

    private static String readme() throws IOException {
        Path here = Path.of("").toAbsolutePath();
        for (Path parent = here; parent != null; parent = parent.getParent()) {
            Path file = parent.resolve("README.md");
            if (Files.exists(file) && Files.exists(parent.resolve("elastickv-embedded"))) {
                return Files.readString(file);
            }
        }
        throw new IOException("no README.md of the project above " + here);
    }

    private static String snippet() throws IOException {
        Matcher matcher = SNIPPET.matcher(readme());
        assertThat(matcher.find()).as("a ```java block").isTrue();
        return matcher.group(1);
    }

    private static String className(String source) {
        Matcher matcher = CLASS.matcher(source);
        assertThat(matcher.find()).isTrue();
        return matcher.group(1);
    }

    /** The flags that the section on them names; those for newer JVMs only where they are understood. */
    private static List<String> flags() throws IOException {
        String readme = readme();
        int start = readme.indexOf("## JVM flags");
        assertThat(start).as("the section on flags").isPositive();
        String section = readme.substring(start, readme.indexOf("\n## ", start + 1));
        List<String> flags = new ArrayList<>();
        for (Matcher matcher = FLAG.matcher(section); matcher.find(); ) {
            String flag = matcher.group();
            if (flag.startsWith("--add-") || Runtime.version().feature() >= 23) {
                flags.add(flag);
            }
        }
        assertThat(flags).anyMatch(flag -> flag.startsWith("--add-opens"));
        return flags;
    }

    private Path compile(String source, String folder) throws IOException {
        Path sources = Files.createDirectories(directory.resolve(folder));
        Path file = Files.writeString(sources.resolve(className(source) + ".java"), source);
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        assertThat(compiler).as("this test needs a JDK").isNotNull();
        StringWriter messages = new StringWriter();
        try (var files = compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
            boolean compiled = compiler.getTask(
                            messages,
                            files,
                            null,
                            List.of("--release", "17", "-proc:none", "-cp", classPath(), "-d", sources.toString()),
                            null,
                            files.getJavaFileObjects(file))
                    .call();
            assertThat(compiled).as(messages.toString()).isTrue();
        }
        return sources;
    }

    private static String classPath() {
        // Surefire may put the real one aside, behind a jar that only refers to it.
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }

    @Test
    void theSnippetIsShort() throws IOException {
        assertThat(snippet().lines().count()).isLessThanOrEqualTo(MAX_LINES);
    }

    @Test
    void theSnippetCompilesAsItStands() throws IOException {
        assertThat(compile(snippet(), "asItStands")).isDirectoryContaining("glob:**Hello.class");
    }

    @Test
    void theSnippetRunsWithTheFlagsThatStandBesideIt() throws Exception {
        String source = snippet();
        // The default port may be in use on a machine that runs tests.
        String elsewhere = source.replace(".start()", ".address(\"127.0.0.1\", " + FreePorts.choose() + ").start()");
        assertThat(elsewhere).isNotEqualTo(source);
        Path classes = compile(elsewhere, "elsewhere");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags());
        command.add("-cp");
        command.add(classes + System.getProperty("path.separator") + classPath());
        command.add(className(source));
        Path output = directory.resolve("output");
        Path errors = directory.resolve("errors");
        Process process = new ProcessBuilder(command)
                .directory(Files.createDirectories(directory.resolve("work")).toFile())
                .redirectOutput(output.toFile())
                .redirectError(errors.toFile())
                .start();
        try {
            assertThat(process.waitFor(90, TimeUnit.SECONDS))
                    .as("ends by itself")
                    .isTrue();
        } finally {
            process.destroyForcibly();
        }
        String everything = Files.readString(output) + Files.readString(errors);
        assertThat(process.exitValue()).as(everything).isZero();
        assertThat(Files.readString(output).lines().map(String::strip))
                .as(everything)
                .endsWith("world");
        assertThat(directory.resolve("work/data/n1")).isDirectory();
    }
}
