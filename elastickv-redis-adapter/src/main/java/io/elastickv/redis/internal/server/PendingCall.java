package io.elastickv.redis.internal.server;

import io.elastickv.redis.internal.command.Call;
import io.elastickv.redis.internal.command.ClientState;
import io.elastickv.redis.internal.command.CommandSpec;
import io.elastickv.redis.internal.resp.Reply;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A command of a connection, from its arrival until its reply is written. All but {@link #reply} happens on the
 * connection's event loop.
 */
final class PendingCall extends Call {

    private final CommandPipeline pipeline;
    private final long requestBytes;

    /** What the client asks for; null if that does not exist. */
    @Nullable
    CommandSpec spec;

    /** The calls that wait for this one, if there are any. */
    @Nullable
    List<PendingCall> dependants;
    /** How many calls this one waits for. */
    int blockers;

    long replyBytes;
    boolean started;
    boolean done;
    boolean resp3;
    boolean suppressed;
    boolean closeAfter;

    /** Set once, by whoever ends the call; read on the event loop after it was handed over. */
    @Nullable
    Reply reply;

    /** The next in the list of calls that ended. */
    @Nullable
    PendingCall next;

    PendingCall(CommandPipeline pipeline, byte[][] arguments) {
        super(arguments);
        this.pipeline = pipeline;
        long bytes = 64;
        for (byte[] argument : arguments) {
            bytes += argument.length + 32L;
        }
        this.requestBytes = bytes;
    }

    long requestBytes() {
        return requestBytes;
    }

    @Override
    public ClientState client() {
        return pipeline.client();
    }

    @Override
    public void reply(Reply value) {
        if (reply == null) {
            reply = value;
            pipeline.ended(this);
        }
    }

    void dependsOn(PendingCall earlier) {
        List<PendingCall> list = earlier.dependants;
        if (list == null) {
            list = new ArrayList<>(2);
            earlier.dependants = list;
        }
        list.add(this);
        blockers++;
    }
}
