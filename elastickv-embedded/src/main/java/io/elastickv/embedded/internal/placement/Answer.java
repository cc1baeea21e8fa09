package io.elastickv.embedded.internal.placement;

/**
 * How far something is that was to be done.
 *
 * @param result how far
 * @param text what is missing, or why it can never be; it changes while there is progress. May be empty
 */
public record Answer(Result result, String text) {

    /** How far something is. */
    public enum Result {
        /** It is so, for good. */
        DONE,
        /** Not yet; ask again. */
        UNDER_WAY,
        /** It can never be so, as things are. */
        IMPOSSIBLE,
        /** Nobody knows: it may have been done, or be done within seconds. */
        NO_ANSWER
    }

    /** It is so. */
    public static final Answer DONE = new Answer(Result.DONE, "");

    /** Not yet. */
    public static Answer underWay(String text) {
        return new Answer(Result.UNDER_WAY, text);
    }

    /** Never. */
    public static Answer impossible(String text) {
        return new Answer(Result.IMPOSSIBLE, text);
    }

    /** Nobody knows. */
    public static Answer none(String text) {
        return new Answer(Result.NO_ANSWER, text);
    }

    boolean isDone() {
        return result == Result.DONE;
    }
}
