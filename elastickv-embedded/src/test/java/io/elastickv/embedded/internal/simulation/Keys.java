package io.elastickv.embedded.internal.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.api.KeySlot;
import java.util.ArrayList;
import java.util.List;

/** The few keys that all clients fight for, and which group has which. */
final class Keys {

    static final int MAX_GROUPS = 3;
    static final int SLOTS_PER_GROUP = 64;

    /** How a key is used, which decides how its history is checked. */
    enum Use {
        /** Puts, compare-and-sets, deletes and gets. */
        REGISTER,
        /** The same, but what is put dies after a while. */
        MORTAL,
        /** Increments and gets. */
        COUNTER,
        /** One of two keys that are only written together. */
        PAIR
    }

    /**
     * A key.
     *
     * @param twin of a pair: the other key
     */
    record Key(int group, Use use, String name, byte[] bytes, byte[] twin) {}

    private static final List<List<Key>> BY_GROUP = new ArrayList<>();

    static {
        for (int group = 0; group < MAX_GROUPS; group++) {
            List<Key> keys = new ArrayList<>();
            for (Use use : Use.values()) {
                int count = use == Use.PAIR ? 1 : use == Use.REGISTER ? 4 : 2;
                for (int i = 0; count > 0; i++) {
                    String tag = "{" + use.name().charAt(0) + i + "}";
                    byte[] bytes = (tag + "a").getBytes(UTF_8);
                    if (KeySlot.of(bytes) / SLOTS_PER_GROUP == group) {
                        keys.add(new Key(group, use, group + ":" + tag + "a", bytes, (tag + "b").getBytes(UTF_8)));
                        count--;
                    }
                }
            }
            BY_GROUP.add(List.copyOf(keys));
        }
    }

    private Keys() {}

    static List<Key> of(int group) {
        return BY_GROUP.get(group);
    }

    static int firstSlot(int group) {
        return group * SLOTS_PER_GROUP;
    }

    static int lastSlot(int group) {
        return firstSlot(group) + SLOTS_PER_GROUP - 1;
    }
}
