package io.elastickv.embedded.internal.raft;

/**
 * The identity of a replica as a member of its group: the name of its node and a key that no other replica of the group
 * has or had, as {@code node@key}. A replica that was wiped, or removed and made anew on the same node, is another
 * member: its votes and acknowledgements of before are not its own. In a group whose members never change the key may be
 * left out.
 */
public final class MemberId {

    private static final char SEPARATOR = '@';

    private MemberId() {}

    /** The member with {@code key} on {@code node}; the name of a node has no {@code @}. */
    public static String of(String node, String key) {
        return node + SEPARATOR + key;
    }

    /** The node of {@code member}. */
    public static String node(String member) {
        int at = member.indexOf(SEPARATOR);
        return at < 0 ? member : member.substring(0, at);
    }

    /** The key of {@code member}; empty if it has none. */
    public static String key(String member) {
        int at = member.indexOf(SEPARATOR);
        return at < 0 ? "" : member.substring(at + 1);
    }
}
