package io.elastickv.embedded.internal.placement;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.api.KeySlot;

/** The keys of the catalog's records, all in one slot: one atomic batch can change any of them. */
public final class CatalogKeys {

    /** What each key begins with: the hash tag. */
    public static final String PREFIX = "{c}";

    /** The record that every change writes, and that is required to be as it was known. */
    public static final String REVISION = PREFIX + "revision";

    /** The slot of all keys. */
    public static final int SLOT = KeySlot.of(PREFIX.getBytes(UTF_8));

    static final String SETTINGS = PREFIX + "settings";
    static final String COUNTERS = PREFIX + "counters";
    static final String SELF = PREFIX + "self";
    static final String NODE = PREFIX + "node/";
    static final String SHARD = PREFIX + "shard/";
    static final String OPERATION = PREFIX + "op/";
    static final String PAST = PREFIX + "past/";
    static final String GRAVE = PREFIX + "grave/";

    private CatalogKeys() {}

    static String node(String name) {
        return NODE + name;
    }

    static String shard(int id) {
        return SHARD + padded(id, 6);
    }

    static String operation(long id) {
        return OPERATION + padded(id, 12);
    }

    static String past(long id) {
        return PAST + padded(id, 12);
    }

    static String grave(int shard) {
        return GRAVE + padded(shard, 6);
    }

    private static String padded(long number, int digits) {
        String text = Long.toString(number);
        return "0".repeat(Math.max(0, digits - text.length())) + text;
    }
}
