/** Damage to a member's files, region by region. */
@org.jspecify.annotations.NullMarked
package io.elastickv.embedded.corruption;
