package io.elastickv.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;

/** Sends bytes and returns the bytes of replies, so that nothing a client library does hides a difference. */
final class RawClient implements AutoCloseable {

    private final Socket socket;
    private final InputStream in;

    RawClient(InetSocketAddress address) throws IOException {
        socket = new Socket(address.getAddress(), address.getPort());
        socket.setSoTimeout(20_000);
        socket.setTcpNoDelay(true);
        in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
    }

    RawClient(int port) throws IOException {
        this(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }

    /** Sends a line as an inline command and returns the reply's bytes as Latin-1. */
    String inline(String line) throws IOException {
        send(line + "\r\n");
        return reply();
    }

    /** Sends an array of strings and returns the reply's bytes as Latin-1. */
    String command(String... arguments) throws IOException {
        send(array(arguments));
        return reply();
    }

    static String array(String... arguments) {
        StringBuilder text = new StringBuilder("*" + arguments.length + "\r\n");
        for (String argument : arguments) {
            text.append('$')
                    .append(argument.length())
                    .append("\r\n")
                    .append(argument)
                    .append("\r\n");
        }
        return text.toString();
    }

    void send(String latin1) throws IOException {
        socket.getOutputStream().write(latin1.getBytes(ISO_8859_1));
    }

    /** The bytes of one reply; empty at the end of the stream. */
    String reply() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        read(out);
        return out.toString(ISO_8859_1);
    }

    /** Everything until the server ends the connection. */
    String rest() throws IOException {
        return new String(in.readAllBytes(), ISO_8859_1);
    }

    private void read(ByteArrayOutputStream out) throws IOException {
        int start = out.size();
        int b = in.read();
        while (b >= 0) {
            out.write(b);
            if (b == '\n') {
                break;
            }
            b = in.read();
        }
        if (b < 0) {
            return;
        }
        String line = out.toString(ISO_8859_1).substring(start).trim();
        char type = line.charAt(0);
        if ("+-:_#,(".indexOf(type) >= 0) {
            return;
        }
        int length = Integer.parseInt(line.substring(1));
        if (type == '$' || type == '=') {
            if (length >= 0) {
                out.writeBytes(in.readNBytes(length + 2));
            }
            return;
        }
        for (int i = 0; i < (type == '%' ? 2 * length : length); i++) {
            read(out);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
