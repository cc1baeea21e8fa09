package io.elastickv.embedded.internal.transport;

import java.net.BindException;
import java.net.UnknownHostException;

/** The network could not be started. The message names the address and says what to do. */
public final class TransportException extends Exception {
    private static final long serialVersionUID = 1L;

    private TransportException(String message, Throwable cause) {
        super(message, cause);
    }

    /** Says in words what went wrong when a node was to listen on its address. */
    static TransportException ofStart(ChannelConfig config, Exception e) {
        if (e instanceof UnknownHostException) {
            return new TransportException(
                    "cannot listen on " + config.bindAddress() + ": the host name is not known to this machine."
                            + " Set the node's address to a name or IP address of one of its interfaces",
                    e);
        }
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof BindException) {
                String message = String.valueOf(cause.getMessage());
                return message.contains("not a valid interface")
                        ? new TransportException(
                                "cannot listen on " + config.bindAddress() + ": this machine has no such address. Set"
                                        + " the node's address to one of this machine's interfaces",
                                e)
                        : new TransportException(
                                "cannot listen on " + config.bindAddress() + ": the port is in use, or may not be used."
                                        + " Stop the process that has it (is a node still running?) or choose another"
                                        + " port",
                                e);
            }
        }
        return new TransportException(
                "cannot start the network of " + config.nodeName() + " on " + config.bindAddress() + ": "
                        + e.getMessage(),
                e);
    }
}
