package io.elastickv.benchmarks;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** What this machine needs for the two things that a replicated, durable write can't do without. */
final class Baselines {

    private static final int FILE_BYTES = 64 << 20;
    private static final int MESSAGE_BYTES = 100;
    private static final long HIGHEST_NANOS = TimeUnit.SECONDS.toNanos(10);

    private Baselines() {}

    /** Durations, in nanoseconds, of appending 100 bytes to a preallocated file in {@code directory} and fdatasync. */
    static Histogram appendAndSync(Path directory, Duration duration) throws IOException {
        Path file = directory.resolve("baseline");
        Histogram nanos = new Histogram(HIGHEST_NANOS, 3);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            preallocate(channel);
            ByteBuffer record = ByteBuffer.allocateDirect(MESSAGE_BYTES);
            long position = 0;
            long endNanos = System.nanoTime() + duration.toNanos();
            while (System.nanoTime() - endNanos < 0 && position + MESSAGE_BYTES < FILE_BYTES) {
                long startNanos = System.nanoTime();
                record.clear();
                position += channel.write(record, position);
                channel.force(false); // fdatasync on Linux
                nanos.recordValue(Math.min(System.nanoTime() - startNanos, HIGHEST_NANOS));
            }
        } finally {
            Files.deleteIfExists(file);
        }
        return nanos;
    }

    private static void preallocate(FileChannel channel) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 20);
        for (long position = 0; position < FILE_BYTES; ) {
            zeros.clear();
            position += channel.write(zeros, position);
        }
        channel.force(true);
    }

    /** Durations, in nanoseconds, of sending 100 bytes over a loopback connection and getting them back. */
    static Histogram pingPong(Duration duration) throws IOException {
        Histogram nanos = new Histogram(HIGHEST_NANOS, 3);
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket client = new Socket(server.getInetAddress(), server.getLocalPort())) {
            client.setTcpNoDelay(true);
            client.setSoTimeout(10_000);
            Thread echo = new Thread(() -> echo(server), "baseline-echo");
            echo.setDaemon(true);
            echo.start();
            byte[] message = new byte[MESSAGE_BYTES];
            OutputStream out = client.getOutputStream();
            DataInputStream in = new DataInputStream(client.getInputStream());
            long endNanos = System.nanoTime() + duration.toNanos();
            while (System.nanoTime() - endNanos < 0) {
                long startNanos = System.nanoTime();
                out.write(message);
                in.readFully(message);
                nanos.recordValue(Math.min(System.nanoTime() - startNanos, HIGHEST_NANOS));
            }
        }
        return nanos;
    }

    private static void echo(ServerSocket server) {
        byte[] buffer = new byte[MESSAGE_BYTES];
        try (Socket socket = server.accept()) {
            socket.setTcpNoDelay(true);
            InputStream in = socket.getInputStream();
            OutputStream out = socket.getOutputStream();
            for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
                out.write(buffer, 0, n);
            }
        } catch (IOException e) {
            // The other end has closed; if it broke, the other end says so.
        }
    }
}
