package io.elastickv.embedded.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.ElastickvException;

/** A completion that keeps what it was told, and insists on being told once. */
class Told<T> implements Completion<T> {

    private int times;
    private T result;
    private ElastickvException failure;

    @Override
    public synchronized void success(T value) {
        times++;
        result = value;
    }

    @Override
    public synchronized void failure(ElastickvException cause) {
        times++;
        failure = cause;
    }

    synchronized int times() {
        return times;
    }

    synchronized boolean succeeded() {
        return times > 0 && failure == null;
    }

    synchronized T result() {
        assertThat(times).as("times told").isEqualTo(1);
        assertThat(failure).isNull();
        return result;
    }

    synchronized ElastickvException failure() {
        assertThat(times).as("times told").isEqualTo(1);
        assertThat(failure).isNotNull();
        return failure;
    }
}
