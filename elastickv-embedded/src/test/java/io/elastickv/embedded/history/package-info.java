/**
 * Records what clients of a key-value store did and saw, and decides whether it was linearizable. Knows nothing of this
 * library, so that what it says of it is worth something.
 */
@NullMarked
package io.elastickv.embedded.history;

import org.jspecify.annotations.NullMarked;
