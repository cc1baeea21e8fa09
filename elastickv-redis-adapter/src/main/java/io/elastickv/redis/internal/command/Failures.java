package io.elastickv.redis.internal.command;

import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.api.OverloadedException;
import io.elastickv.api.UnavailableException;
import io.elastickv.redis.internal.resp.Reply;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What clients are told of the store's exceptions. The codes are those that clients know what to do about:
 * {@code CLUSTERDOWN} and {@code TRYAGAIN} mean in Redis, too, that the command had no effect and may be sent again;
 * when the outcome is unknown, a plain {@code ERR} keeps clients from repeating the command on their own.
 */
public final class Failures {

    private static final Logger LOG = LoggerFactory.getLogger(Failures.class);

    private Failures() {}

    /** The reply that stands for {@code failure}. */
    public static Reply replyTo(Throwable failure) {
        Throwable cause = cause(failure);
        if (cause instanceof CommandException error) {
            return Reply.error(String.valueOf(error.getMessage()));
        }
        if (cause instanceof UnavailableException) {
            return Reply.error("CLUSTERDOWN The cluster is down: not applied: " + cause.getMessage());
        }
        if (cause instanceof OverloadedException overloaded) {
            return Reply.error("TRYAGAIN Overloaded: not applied, try again in "
                    + overloaded.retryAfter().toMillis() + " ms: " + cause.getMessage());
        }
        if (cause instanceof OutcomeUnknownException) {
            return Reply.error(
                    "ERR outcome unknown: the command may or may not have taken effect: " + cause.getMessage());
        }
        if (cause instanceof InvalidRequestException invalid) {
            return invalid(invalid);
        }
        LOG.error("A command failed unexpectedly", cause);
        return Reply.error("ERR internal error: " + cause.getClass().getSimpleName());
    }

    private static Reply invalid(InvalidRequestException invalid) {
        switch (invalid.reason()) {
            case NOT_AN_INTEGER:
                return Reply.error("ERR value is not an integer or out of range");
            case INTEGER_OVERFLOW:
                return Reply.error("ERR increment or decrement would overflow");
            case CROSS_SLOT:
                return Reply.error(CROSS_SLOT);
            case INVALID_ARGUMENT:
            case UNSUPPORTED:
            default:
                return Reply.error("ERR " + invalid.getMessage());
        }
    }

    /** What Redis Cluster says of keys in different slots. */
    public static final String CROSS_SLOT = "CROSSSLOT Keys in request don't hash to the same slot";

    /** The exception itself, out of the wrappers that futures put around it. */
    static Throwable cause(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }
}
