/** The builder of a node. All else of the implementation is internal. */
@NullMarked
package io.elastickv.embedded;

import org.jspecify.annotations.NullMarked;
