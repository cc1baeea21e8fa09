/** The walls between the packages. */
@NullMarked
package io.elastickv.embedded.architecture;

import org.jspecify.annotations.NullMarked;
