package io.elastickv.redis.internal.server;

import io.elastickv.redis.internal.command.CommandTable;
import io.elastickv.redis.internal.resp.ProtocolException;
import io.elastickv.redis.internal.resp.Reply;
import io.elastickv.redis.internal.resp.ReplyWriter;
import io.elastickv.redis.internal.resp.RequestParser;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's connection: bytes to commands, replies to bytes. When the pipeline is full, or the client does not take
 * its replies, nothing more is read, so that the client is slowed down by TCP and memory stays bounded.
 */
@SuppressWarnings(
        "FutureReturnValueIgnored") // A write or close that fails ends the connection, which is told otherwise.
final class ClientConnection extends ChannelInboundHandlerAdapter
        implements CommandPipeline.Connection, Session.Control {

    private static final Logger LOG = LoggerFactory.getLogger(ClientConnection.class);

    private final RedisServer server;
    private final RequestParser parser;
    private @Nullable ChannelHandlerContext context;
    private @Nullable Session session;
    private @Nullable CommandPipeline pipeline;
    private @Nullable ReplyWriter writer;
    private @Nullable ByteBuf received;
    private boolean parsing;
    private boolean gone;

    ClientConnection(RedisServer server) {
        this.server = server;
        this.parser = new RequestParser(server.parserLimits());
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        context = ctx;
        server.statistics().connections.increment();
        Session client = new Session(
                server.nextClientId(),
                ctx.channel().remoteAddress(),
                ctx.channel().localAddress(),
                server.password() != null,
                this);
        session = client;
        parser.authenticated(client.authenticated());
        writer = new ReplyWriter(ctx.alloc(), this::send);
        CommandTable table = server.table();
        pipeline = new CommandPipeline(
                table, server.statistics(), client, this, server.maxCallsPerClient(), server.maxBytesPerClient());
        if (!server.admit(client)) {
            server.statistics().rejectedConnections.increment();
            pipeline.abort("ERR max number of clients reached");
            pipeline.drain();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf in = (ByteBuf) message;
        server.statistics().bytesIn.add(in.readableBytes());
        if (pipeline == null || pipeline.closing()) {
            in.release();
            return;
        }
        received = received == null ? in : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), received, in);
        parse();
    }

    /** Takes commands out of what was received until it is used up or the pipeline is full. */
    private void parse() {
        if (parsing) {
            return;
        }
        parsing = true;
        CommandPipeline commands = Objects.requireNonNull(pipeline);
        try {
            boolean more = true;
            while (more) {
                more = takeCommands(commands);
                // Replies that are ready at once make room again.
                commands.drain();
                more &= received != null && !commands.closing() && !commands.full();
            }
        } finally {
            parsing = false;
        }
        if (commands.closing() || (gone && !commands.full())) {
            releaseReceived();
        }
        if (!gone) {
            Objects.requireNonNull(context).channel().config().setAutoRead(!commands.full() || commands.closing());
        }
    }

    /** Returns whether it stopped because the pipeline is full. */
    private boolean takeCommands(CommandPipeline commands) {
        ByteBuf in = received;
        if (in == null) {
            return false;
        }
        try {
            while (!commands.closing()) {
                if (commands.full()) {
                    return true;
                }
                byte @Nullable [][] request = parser.next(in);
                if (request == null) {
                    break;
                }
                commands.submit(request);
            }
        } catch (ProtocolException e) {
            LOG.debug("Client {}: {}", Objects.requireNonNull(session).remoteAddress(), e.getMessage());
            commands.abort("ERR Protocol error: " + e.getMessage());
        }
        if (!in.isReadable()) {
            releaseReceived();
        }
        return false;
    }

    private void releaseReceived() {
        ByteBuf in = received;
        if (in != null) {
            received = null;
            in.release();
        }
    }

    /** Goes on reading if there is room again. */
    private void resume() {
        CommandPipeline commands = pipeline;
        if (commands == null || parsing || commands.full()) {
            return;
        }
        if (received != null) {
            parse();
        } else if (!gone) {
            Objects.requireNonNull(context).channel().config().setAutoRead(true);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        CommandPipeline commands = pipeline;
        if (commands != null && ctx.channel().isWritable()) {
            commands.writeReplies();
            resume();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        gone = true;
        if (session != null) {
            server.remove(session);
        }
        if (pipeline != null && !pipeline.closing()) {
            // What was received still counts: a client may send and leave without waiting.
            pipeline.writeReplies();
            resume();
        }
        if (pipeline == null || pipeline.closing()) {
            releaseReceived();
        }
        if (writer != null) {
            writer.discard();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof IOException) {
            LOG.debug("Connection to a client lost: {}", cause.toString());
        } else {
            LOG.error("Connection to a client failed", cause);
        }
        ctx.close();
    }

    private void send(ByteBuf bytes) {
        server.statistics().bytesOut.add(bytes.readableBytes());
        ChannelHandlerContext ctx = Objects.requireNonNull(context);
        ctx.write(bytes, ctx.voidPromise());
    }

    @Override
    public boolean inLoop() {
        return Objects.requireNonNull(context).executor().inEventLoop();
    }

    @Override
    public void execute(Runnable task) {
        try {
            Objects.requireNonNull(context).executor().execute(() -> {
                task.run();
                resume();
            });
        } catch (java.util.concurrent.RejectedExecutionException e) {
            LOG.debug("A command ended after the adapter was closed");
        }
    }

    @Override
    public boolean writable() {
        return gone || Objects.requireNonNull(context).channel().isWritable();
    }

    @Override
    public void write(Reply reply, boolean resp3) {
        if (!gone) {
            Objects.requireNonNull(writer).write(reply, resp3);
        }
    }

    @Override
    public void flush() {
        if (!gone) {
            Objects.requireNonNull(writer).flush();
            Objects.requireNonNull(context).flush();
        }
    }

    @Override
    public void close() {
        ChannelHandlerContext ctx = Objects.requireNonNull(context);
        ctx.writeAndFlush(ctx.alloc().buffer(0)).addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void closeAfterReplies() {
        Objects.requireNonNull(pipeline).closeAfterReplies();
    }

    @Override
    public void kill() {
        Objects.requireNonNull(context).close();
    }

    @Override
    public void authenticated(boolean value) {
        parser.authenticated(value);
    }

    @Override
    public int unfinished() {
        return pipeline == null ? 0 : pipeline.unfinished();
    }
}
