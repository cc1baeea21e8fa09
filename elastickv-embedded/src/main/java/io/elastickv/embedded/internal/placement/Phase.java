package io.elastickv.embedded.internal.placement;

/** What an operation is about to do: the persisted step from which any driver can go on. */
public enum Phase {
    /** A replica is added: made, caught up as a learner, and made a voter. */
    ADD(1),
    /** A replica is removed, after its leadership was handed over. */
    REMOVE(2),
    /** What {@link #ADD} may have left is removed: the operation is being undone. */
    TAKE_BACK(3),
    /** The leadership is handed over. */
    TRANSFER(4),
    /** The shard is split, in the epoch and with the child that are written down. */
    SPLIT(5),
    /** The new shard, or the old one if that has the slots in question, is handed to its leader. */
    HAND_OVER(6),
    /** How much of the right shard is given next is found out. */
    MEASURE(7),
    /** The right shard gives the piece that is written down. From here on a merge can only go forward. */
    GIVE(8),
    /** The left shard takes the piece in. */
    ABSORB(9),
    /** The right shard deletes the piece. */
    DROP(10),
    /** The replicas of a shard that owns nothing any more are deleted. */
    DELETE(11),
    /** Only the catalog changes. */
    RECORD(12);

    private final int code;

    Phase(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    static Phase ofCode(int code) {
        for (Phase phase : values()) {
            if (phase.code == code) {
                return phase;
            }
        }
        throw new IllegalArgumentException("step " + code + " of an operation is not known");
    }
}
