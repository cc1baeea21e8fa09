package io.elastickv.embedded;

final class HeapStoreIT extends StoreContract {

    HeapStoreIT() {
        super(StorageEngine.HEAP);
    }
}
