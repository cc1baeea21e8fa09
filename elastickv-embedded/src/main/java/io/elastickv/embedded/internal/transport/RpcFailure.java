package io.elastickv.embedded.internal.transport;

/** Why a call has no answer: what its caller may conclude. */
public enum RpcFailure {
    /** The handler has not seen the call and will not: unknown peer, no connection, full outbox, no such method. */
    NOT_SENT,
    /** The handler may or may not have seen the call: timeout, lost connection, restarted peer, failed handler. */
    NO_ANSWER
}
