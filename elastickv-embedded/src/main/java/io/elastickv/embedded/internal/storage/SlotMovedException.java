package io.elastickv.embedded.internal.storage;

/** A slot went to another store while it was read: the reader must look again at who owns it. */
public final class SlotMovedException extends StorageException {

    private static final long serialVersionUID = 1L;

    SlotMovedException(int slot) {
        super("slot " + slot + " has become another shard's");
    }
}
