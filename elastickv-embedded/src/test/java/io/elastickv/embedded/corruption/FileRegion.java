package io.elastickv.embedded.corruption;

import java.nio.file.Path;

/**
 * Bytes of a file that mean one thing.
 *
 * @param kind what kind of file it is
 * @param region what the bytes mean
 * @param file the file
 * @param offset where they begin
 * @param length how many there are; may be 0 for a file without content
 */
public record FileRegion(String kind, String region, Path file, long offset, long length) {

    /** Kind and region, for tables. */
    public String name() {
        return kind + ": " + region;
    }
}
