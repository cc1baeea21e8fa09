package io.elastickv.embedded;

final class OffHeapStoreIT extends StoreContract {

    OffHeapStoreIT() {
        super(StorageEngine.OFF_HEAP);
    }
}
