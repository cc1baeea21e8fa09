package io.elastickv.embedded.internal.transport;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A node's network in a process of its own, which can be killed and stopped. Answers method 1 with what it was sent. */
final class PeerProcess implements AutoCloseable {
    final Process process;
    final PeerAddress address;

    private PeerProcess(Process process, PeerAddress address) {
        this.process = process;
        this.address = address;
    }

    static PeerProcess start(String name, PeerAddress address, List<PeerAddress> seeds) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                System.getProperty("java.home") + "/bin/java",
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                PeerProcess.class.getName(),
                name,
                address.toString()));
        for (PeerAddress seed : seeds) {
            command.add(seed.toString());
        }
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String line;
        do {
            line = out.readLine();
            if (line == null) {
                throw new IOException("the process of " + name + " ended before it was ready");
            }
        } while (!line.equals("ready"));
        Thread drain = new Thread(() -> out.lines().forEach(ignored -> {}), "drain-" + name);
        drain.setDaemon(true);
        drain.start();
        return new PeerProcess(process, address);
    }

    void signal(String signal) throws Exception {
        Process kill = new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start();
        if (!kill.waitFor(10, TimeUnit.SECONDS) || kill.exitValue() != 0) {
            throw new IOException("kill -" + signal + " failed");
        }
    }

    @Override
    public void close() throws Exception {
        process.destroyForcibly();
        process.waitFor(10, TimeUnit.SECONDS);
    }

    public static void main(String[] args) throws Exception {
        List<PeerAddress> seeds = new ArrayList<>();
        for (int i = 2; i < args.length; i++) {
            seeds.add(PeerAddress.parse(args[i]));
        }
        TestNode node = new TestNode(
                TestNode.config(args[0], PeerAddress.parse(args[1]), seeds).build());
        node.channel.rpc().register(1, (from, payload, responder) -> {
            byte[] bytes = new byte[payload.remaining()];
            payload.get(bytes);
            responder.reply(bytes);
        });
        node.channel.start();
        System.out.println("ready");
        Thread.sleep(120_000); // never longer than any test
        System.exit(1);
    }
}
