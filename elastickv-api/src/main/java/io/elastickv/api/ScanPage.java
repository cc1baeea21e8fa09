package io.elastickv.api;

import java.util.List;

/**
 * A part of a scan.
 *
 * @param keys some keys, possibly none although the scan goes on, possibly a few more than the limit; unmodifiable
 * @param next where to go on; {@link ScanCursor#isStart()} when this was the last page
 */
public record ScanPage(List<Bytes> keys, ScanCursor next) {

    /** Whether the scan has ended with this page. */
    public boolean isLast() {
        return next.isStart();
    }
}
