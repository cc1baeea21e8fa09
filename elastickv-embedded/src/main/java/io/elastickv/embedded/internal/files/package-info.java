/** The file operations that logs and checkpoints are made of, as a seam: tests inject faults, power cuts and virtual time. */
@NullMarked
package io.elastickv.embedded.internal.files;

import org.jspecify.annotations.NullMarked;
