package io.elastickv.api;

/**
 * What an import did.
 *
 * @param backup what was imported
 * @param restored how many keys were written
 * @param expired how many keys were left out because they have expired since; with {@link ImportMode#OVER_EXISTING} they
 *     were deleted
 */
public record ImportResult(BackupInfo backup, long restored, long expired) {}
