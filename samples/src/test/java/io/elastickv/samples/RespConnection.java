package io.elastickv.samples;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.net.InetAddress;
import java.net.Socket;

/** Just enough of a Redis client for one-line texts. */
final class RespConnection implements AutoCloseable {

    private static final int TIMEOUT_MILLIS = 20_000;

    private final Socket socket;
    private final BufferedReader in;
    private final Writer out;

    RespConnection(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        in = new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8));
        out = new OutputStreamWriter(socket.getOutputStream(), UTF_8);
    }

    /** Sends one command on a connection of its own and returns the reply. */
    static String once(int port, String... words) throws IOException {
        try (RespConnection connection = new RespConnection(port)) {
            return connection.call(words);
        }
    }

    /** Sends a command; returns the text of the reply, an error with its minus, {@code null} as "(nil)". */
    String call(String... words) throws IOException {
        StringBuilder request = new StringBuilder("*" + words.length + "\r\n");
        for (String word : words) {
            request.append('$')
                    .append(word.getBytes(UTF_8).length)
                    .append("\r\n")
                    .append(word)
                    .append("\r\n");
        }
        out.write(request.toString());
        out.flush();
        String line = in.readLine();
        if (line == null) {
            throw new IOException("the connection was closed");
        }
        return switch (line.charAt(0)) {
            case '+', ':' -> line.substring(1);
            case '$' -> line.equals("$-1") ? "(nil)" : in.readLine();
            default -> line;
        };
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
