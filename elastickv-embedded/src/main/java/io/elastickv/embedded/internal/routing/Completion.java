package io.elastickv.embedded.internal.routing;

import io.elastickv.api.ElastickvException;

/** Told the end of an operation, exactly once; may be called on an event loop, so it must not block. */
public interface Completion<T> {

    /** The operation has this result. */
    void success(T result);

    /** The operation failed. */
    void failure(ElastickvException failure);
}
