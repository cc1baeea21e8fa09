package io.elastickv.embedded.internal.placement.plan;

/** Figures in reasons. */
final class Words {

    private Words() {}

    /** A share of a mean, with two decimals. */
    static String share(double value) {
        return Double.toString(Math.round(value * 100) / 100.0);
    }

    /** A part in percent. */
    static String percent(double part) {
        return Math.round(part * 100) + " %";
    }

    /** A size. */
    static String bytes(long bytes) {
        if (bytes < 10 << 10) {
            return bytes + " B";
        }
        if (bytes < 10 << 20) {
            return (bytes >> 10) + " KiB";
        }
        return (bytes >> 20) + " MiB";
    }

    /** A number, rounded. */
    static String count(double value) {
        return Long.toString(Math.round(value));
    }
}
