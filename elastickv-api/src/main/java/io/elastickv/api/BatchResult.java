package io.elastickv.api;

import java.util.List;

/**
 * The outcome of a {@link Batch}.
 *
 * @param applied whether every requirement held and the steps ran
 * @param results one for each step, in order; empty if the batch did not apply. A get has the value read as
 *     {@code previous} (and {@code applied} tells whether the key exists); a put, delete or expire tells whether it took
 *     effect
 */
public record BatchResult(boolean applied, List<WriteResult> results) {}
