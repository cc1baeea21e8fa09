package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.command.StoredValue;
import java.io.IOException;
import java.util.Iterator;
import java.util.Map;

/** The walk over a {@link HeapBucket}: that map's iterators show each entry that stays exactly once. */
final class HeapPass implements BucketPass {

    private static final int ENTRIES_PER_STEP = 256;

    private final Iterator<Map.Entry<ByteKey, StoredValue>> entries;

    HeapPass(Iterator<Map.Entry<ByteKey, StoredValue>> entries) {
        this.entries = entries;
    }

    @Override
    public boolean step(Visitor visitor) throws IOException {
        for (int i = 0; i < ENTRIES_PER_STEP; i++) {
            if (!entries.hasNext()) {
                return false;
            }
            Map.Entry<ByteKey, StoredValue> entry = entries.next();
            byte[] key = entry.getKey().bytes;
            StoredValue value = entry.getValue();
            if (visitor.wants(key, 0, key.length)) {
                byte[] bytes = value.value();
                visitor.entry(key, 0, key.length, bytes, 0, bytes.length, value.version(), value.expiresAtMillis());
            }
        }
        return true;
    }
}
