package io.elastickv.embedded.internal.raft.core;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The members of a group (Ongaro, chapter 4): voters, and learners, which get the log but count in no majority (4.2.1).
 * It changes by one member at a time, so the majorities of a configuration and of the one before always have a member in
 * common (4.1). Immutable.
 *
 * <p>As bytes, in log entries and checkpoints (format 1): u8 format | i64 version | u16 count of voters | each: u16
 * length, UTF-8 | the learners likewise. All big-endian.
 *
 * @param version how many changes led to it, from 0 for the group's first. The index of its entry would not do: compaction
 *     forgets it. Of two committed configurations the one with the larger version is the later one
 * @param voters the members that vote, each once
 * @param learners the members that do not, each once, none of them a voter
 */
public record Configuration(long version, List<String> voters, List<String> learners) {

    /** Nobody: what a replica knows that was just made, until it hears from a leader. */
    public static final Configuration EMPTY = new Configuration(0, List.of(), List.of());

    private static final byte FORMAT = 1;
    private static final int MAX_MEMBERS = 1_000;

    /** Copies the lists and rejects a member that is named twice. */
    public Configuration {
        voters = List.copyOf(voters);
        learners = List.copyOf(learners);
        Set<String> all = new LinkedHashSet<>(voters);
        all.addAll(learners);
        if (all.size() != voters.size() + learners.size()) {
            throw new IllegalArgumentException(
                    "voters " + voters + " and learners " + learners + " name a member twice");
        }
        if (all.size() > MAX_MEMBERS) {
            throw new IllegalArgumentException(all.size() + " members, at most " + MAX_MEMBERS + " are possible");
        }
        if (version < 0) {
            throw new IllegalArgumentException("version " + version + " is negative");
        }
    }

    /** A group's first configuration. */
    public Configuration(List<String> voters, List<String> learners) {
        this(0, voters, learners);
    }

    /** These voters, no learners. */
    public static Configuration of(List<String> voters) {
        return new Configuration(0, voters, List.of());
    }

    /** Whether {@code member} votes. */
    public boolean isVoter(String member) {
        return voters.contains(member);
    }

    /** Whether {@code member} is a learner. */
    public boolean isLearner(String member) {
        return learners.contains(member);
    }

    /** Whether {@code member} is one or the other. */
    public boolean contains(String member) {
        return isVoter(member) || isLearner(member);
    }

    /** Everybody: the voters, then the learners. */
    public List<String> members() {
        List<String> all = new ArrayList<>(voters);
        all.addAll(learners);
        return all;
    }

    /** With {@code member} as a further learner. */
    public Configuration withLearner(String member) {
        List<String> more = new ArrayList<>(learners);
        more.add(member);
        return new Configuration(version + 1, voters, more);
    }

    /** With the learner {@code member} as a voter. */
    public Configuration promoted(String member) {
        List<String> fewer = new ArrayList<>(learners);
        if (!fewer.remove(member)) {
            throw new IllegalArgumentException(member + " is none of the learners " + learners);
        }
        List<String> more = new ArrayList<>(voters);
        more.add(member);
        return new Configuration(version + 1, more, fewer);
    }

    /** Without {@code member}, whatever it was. */
    public Configuration without(String member) {
        List<String> v = new ArrayList<>(voters);
        List<String> l = new ArrayList<>(learners);
        v.remove(member);
        l.remove(member);
        return new Configuration(version + 1, v, l);
    }

    /** As bytes. */
    public byte[] encode() {
        List<byte[]> voterBytes = bytes(voters);
        List<byte[]> learnerBytes = bytes(learners);
        ByteBuffer out = ByteBuffer.allocate(1 + Long.BYTES + size(voterBytes) + size(learnerBytes));
        out.put(FORMAT).putLong(version);
        put(out, voterBytes);
        put(out, learnerBytes);
        return out.array();
    }

    private static List<byte[]> bytes(List<String> names) {
        List<byte[]> all = new ArrayList<>(names.size());
        for (String name : names) {
            byte[] bytes = name.getBytes(UTF_8);
            if (bytes.length > 0xFFFF) {
                throw new IllegalArgumentException("a name of " + bytes.length + " bytes does not fit");
            }
            all.add(bytes);
        }
        return all;
    }

    private static int size(List<byte[]> names) {
        int size = Short.BYTES;
        for (byte[] name : names) {
            size += Short.BYTES + name.length;
        }
        return size;
    }

    private static void put(ByteBuffer out, List<byte[]> names) {
        out.putShort((short) names.size());
        for (byte[] name : names) {
            out.putShort((short) name.length);
            out.put(name);
        }
    }

    /**
     * From bytes.
     *
     * @throws MalformedMessageException if they are no configuration of a known version
     */
    public static Configuration decode(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (bytes.length == 0 || in.get() != FORMAT) {
            throw new MalformedMessageException("a configuration of an unknown format");
        }
        if (in.remaining() < Long.BYTES) {
            throw new MalformedMessageException("a configuration ends early");
        }
        long version = in.getLong();
        List<String> voters = decodeNames(in);
        List<String> learners = decodeNames(in);
        if (in.hasRemaining()) {
            throw new MalformedMessageException(in.remaining() + " bytes after a configuration");
        }
        try {
            return new Configuration(version, voters, learners);
        } catch (IllegalArgumentException e) {
            throw new MalformedMessageException(String.valueOf(e.getMessage()));
        }
    }

    private static List<String> decodeNames(ByteBuffer in) {
        int count = getShort(in);
        List<String> names = new ArrayList<>(Math.min(count, MAX_MEMBERS));
        for (int i = 0; i < count; i++) {
            int length = getShort(in);
            if (length > in.remaining()) {
                throw new MalformedMessageException("a configuration ends within a name");
            }
            byte[] name = new byte[length];
            in.get(name);
            names.add(new String(name, UTF_8));
        }
        return names;
    }

    private static int getShort(ByteBuffer in) {
        if (in.remaining() < 2) {
            throw new MalformedMessageException("a configuration ends early");
        }
        return in.getShort() & 0xFFFF;
    }
}
