/** Measures a whole cluster in one process. */
@NullMarked
package io.elastickv.benchmarks;

import org.jspecify.annotations.NullMarked;
