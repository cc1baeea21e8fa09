package io.elastickv.embedded.internal.node;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.embedded.internal.raft.MemberId;
import io.elastickv.embedded.internal.raft.core.MalformedMessageException;
import io.elastickv.embedded.internal.raft.core.RaftMessage;
import io.elastickv.embedded.internal.raft.core.RaftMessageCodec;
import io.elastickv.embedded.internal.transport.EncodedMessage;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The messages of one replica as they travel: what the transport knows of sender and receiver are nodes, so a message
 * names their keys as members of the group. What is for another replica than the one that is here, such as the one that
 * was lost with the node's former directory, is not delivered: answers to it are not this one's to count.
 *
 * <pre>
 * length of the sender's key u8 | key | length of the receiver's key u8 | key | message      (keys: UTF-8)
 * </pre>
 *
 * <p>{@link #frame} and {@link #nodeOf} belong to the group's loop, {@link #sender} is thread-safe. No texts are made per
 * message.
 */
final class GroupFrames {

    /** More members than any group has at a time; those of before are forgotten now and then. */
    private static final int MOST_KNOWN = 64;

    private record Address(String node, byte[] key) {}

    private record Sender(String node, byte[] key, String member) {}

    private final byte[] self;
    private final Map<String, Address> addresses = new HashMap<>();
    private volatile Sender[] senders = {};

    /** The frames of the replica that is {@code self} in its group. */
    GroupFrames(String self) {
        this.self = key(self);
    }

    private static byte[] key(String member) {
        byte[] key = MemberId.key(member).getBytes(UTF_8);
        if (key.length > 255) {
            throw new IllegalArgumentException("member " + member + ": a key has at most 255 bytes");
        }
        return key;
    }

    /** The node that {@code member} is on. */
    String nodeOf(String member) {
        return address(member).node;
    }

    /** {@code message} for {@code member}, encoded straight into the frame that carries it. */
    EncodedMessage frame(String member, RaftMessage message) {
        return new Frame(self, address(member).key, message);
    }

    private Address address(String member) {
        Address address = addresses.get(member);
        if (address == null) {
            if (addresses.size() >= MOST_KNOWN) {
                addresses.clear();
            }
            address = new Address(MemberId.node(member), key(member));
            addresses.put(member, address);
        }
        return address;
    }

    /**
     * Takes the addresses off a message of node {@code from}.
     *
     * @param payload is at the message itself afterwards
     * @return the member that sent it; null if it is for another replica than this one
     * @throws MalformedMessageException if the addresses cannot be read
     */
    @Nullable
    String sender(String from, ByteBuffer payload) {
        int senderAt = payload.position() + 1;
        int senderLength = skip(payload);
        int receiverAt = payload.position() + 1;
        int receiverLength = skip(payload);
        if (!matches(payload, receiverAt, receiverLength, self)) {
            return null;
        }
        for (Sender sender : senders) {
            if (matches(payload, senderAt, senderLength, sender.key) && sender.node.equals(from)) {
                return sender.member;
            }
        }
        byte[] key = new byte[senderLength];
        payload.get(senderAt, key);
        return remember(from, key);
    }

    private static int skip(ByteBuffer payload) {
        int length = payload.hasRemaining() ? payload.get() & 0xff : -1;
        if (length < 0 || length > payload.remaining()) {
            throw new MalformedMessageException("a group message ends within its addresses");
        }
        payload.position(payload.position() + length);
        return length;
    }

    private static boolean matches(ByteBuffer payload, int at, int length, byte[] key) {
        if (length != key.length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (payload.get(at + i) != key[i]) {
                return false;
            }
        }
        return true;
    }

    private synchronized String remember(String from, byte[] key) {
        String member = MemberId.of(from, new String(key, UTF_8));
        Sender[] known = senders.length >= MOST_KNOWN ? new Sender[0] : senders;
        Sender[] more = Arrays.copyOf(known, known.length + 1);
        more[known.length] = new Sender(from, key, member);
        senders = more;
        return member;
    }

    private static final class Frame implements EncodedMessage {

        private final byte[] sender;
        private final byte[] receiver;
        private final RaftMessage message;
        private final int size;

        private Frame(byte[] sender, byte[] receiver, RaftMessage message) {
            this.sender = sender;
            this.receiver = receiver;
            this.message = message;
            this.size = 2 + sender.length + receiver.length + RaftMessageCodec.encodedSize(message);
        }

        @Override
        public int size() {
            return size;
        }

        @Override
        public void writeTo(ByteBuffer target) {
            target.put((byte) sender.length)
                    .put(sender)
                    .put((byte) receiver.length)
                    .put(receiver);
            RaftMessageCodec.encode(message, target);
        }
    }
}
