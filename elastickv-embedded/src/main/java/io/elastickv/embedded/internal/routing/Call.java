package io.elastickv.embedded.internal.routing;

/** An operation of the API, checked and ready to start: what the blocking and the asynchronous view share. */
interface Call<T> {

    /** Starts it; {@code completion} is told its end. */
    void start(Router router, long deadlineNanos, Completion<T> completion);
}
