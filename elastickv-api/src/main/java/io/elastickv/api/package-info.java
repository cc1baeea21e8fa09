/**
 * What an application compiles against: the handle of a node, the blocking and the asynchronous view of the store, the
 * view of the cluster, and the few exceptions, named for what the caller may do next.
 *
 * <p>Nothing in this package depends on the implementation or on any third-party library at run time.
 */
@NullMarked
package io.elastickv.api;

import org.jspecify.annotations.NullMarked;
