package io.elastickv.embedded.internal.simulation;

import io.elastickv.embedded.internal.transport.EncodedMessage;
import io.elastickv.embedded.internal.transport.Responder;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import io.elastickv.embedded.internal.transport.RpcHandler;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/** A call from one process to another, as the nodes' channel makes it: answered once, or failed after the timeout. */
final class Rpc implements Responder {

    private final SimProcess caller;
    private final Node callee;
    private final RpcCallback callback;
    private boolean over;
    private boolean replied;

    private Rpc(SimProcess caller, Node callee, RpcCallback callback) {
        this.caller = caller;
        this.callee = callee;
        this.callback = callback;
    }

    static void call(
            SimProcess caller, Node callee, int method, byte[] payload, long timeoutNanos, RpcCallback callback) {
        Rpc rpc = new Rpc(caller, callee, callback);
        byte[] sent = payload.clone();
        String from = caller.node.name;
        caller.simulation.network.call(caller.node.number, callee.number, () -> {
            SimProcess process = callee.process();
            if (process != null) {
                process.after(1, () -> rpc.handle(process.handlers.get(method), from, sent));
            }
        });
        caller.after(timeoutNanos, () -> rpc.end(() -> callback.failure(RpcFailure.NO_ANSWER)));
    }

    private void handle(RpcHandler handler, String from, byte[] payload) {
        try {
            handler.handle(from, ByteBuffer.wrap(payload).asReadOnlyBuffer(), this);
        } catch (RuntimeException e) {
            caller.simulation.note(payload.length); // no answer
        }
    }

    private void end(Runnable told) {
        if (!over) {
            over = true;
            told.run();
        }
    }

    @Override
    public void reply(byte[]... parts) {
        if (replied) {
            return;
        }
        replied = true;
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        byte[] answer = all.toByteArray();
        caller.simulation.network.call(
                callee.number,
                caller.node.number,
                () -> caller.after(
                        1,
                        () -> end(() -> callback.success(ByteBuffer.wrap(answer).asReadOnlyBuffer()))));
    }

    @Override
    public void reply(EncodedMessage answer) {
        ByteBuffer bytes = ByteBuffer.allocate(answer.size());
        answer.writeTo(bytes);
        reply(bytes.array());
    }
}
