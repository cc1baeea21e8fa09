package io.elastickv.redis.internal.command;

/** Carries out a command. */
@FunctionalInterface
public interface Handler {

    /**
     * Begins the command; it ends when the call is given its reply, now or later. Runs on an event loop: must not block.
     *
     * @throws RuntimeException becomes the reply, if the call was not given one
     */
    void handle(Call call);
}
