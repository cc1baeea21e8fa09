package io.elastickv.embedded.internal.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.internal.command.StoredValue;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ShardStoreTest {

    private static final int SLOT = 7;

    private static byte[] longValue(char content) {
        byte[] value = new byte[300];
        Arrays.fill(value, (byte) content);
        return value;
    }

    /** The new bucket counts its long values from one again, as the one that was cleared did. */
    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void aReaderHeldUpAcrossAClearDoesNotGetAnotherKeysLongValue(StorageEngine engine) {
        ShardStore store = new ShardStore(engine, new StorageOptions(4096, 64, 2, 64), SLOT, SLOT, key -> SLOT);
        int inside = store.readers().enter();
        try {
            put(store, "a", longValue('a'), 1);
            ShardStore.Found found = store.find(SLOT, "a".getBytes(UTF_8));
            store.clear();
            put(store, "b", longValue('b'), 2);
            StoredValue value = found.isLarge() ? found.load() : (StoredValue) found.entry();
            assertThat(value).isNotNull();
            assertThat(value.value()).isEqualTo(longValue('a'));
            assertThat(value.version()).isEqualTo(1);
            assertThat(store.get(SLOT, "a".getBytes(UTF_8)).value()).isNull();
        } finally {
            store.readers().exit(inside);
            store.close();
        }
    }

    private static void put(ShardStore store, String key, byte[] value, long version) {
        store.beginWrite(SLOT);
        store.put(SLOT, key.getBytes(UTF_8), value, version, 0);
        store.endWrite(SLOT);
    }
}
