/** A demo cluster and a client, each an executable jar and an example of how to use the library. */
@NullMarked
package io.elastickv.samples;

import org.jspecify.annotations.NullMarked;
