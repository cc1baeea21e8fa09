package io.elastickv.redis.internal.command;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a command, and who carries it out: the one source for the checks before a command runs, its keys and
 * the answers of {@code COMMAND}. Filled in while the table is made, not changed afterwards.
 */
public final class CommandSpec {

    /** When a command may run beside others of its connection. */
    public enum Order {
        /** At once, when it is read: it concerns the connection only. */
        IMMEDIATE,
        /** When the commands before it that have a key in common have ended. */
        BY_KEY,
        /** When all commands before it have ended; those after it wait. */
        ALONE
    }

    /** Carries out several calls at once, in their order. */
    @FunctionalInterface
    public interface GroupHandler {

        /** Begins the calls; as {@link Handler#handle}. */
        void handle(List<? extends Call> calls);
    }

    /**
     * Where keys stand.
     *
     * @param first the index of the first key
     * @param last the index of the last key relative to the first; negative counts from the end of the arguments
     * @param step the distance from key to key
     * @param flags what is done to the keys, as Redis names it
     * @param notes a remark; empty for none
     */
    record Keys(int first, int last, int step, String flags, String notes) {

        int lastIndex(int argumentCount) {
            return last < 0 ? argumentCount + last : first + last;
        }
    }

    private final String name;
    private final int arity;
    private final @Nullable CommandSpec parent;
    private final Map<String, CommandSpec> subcommands = new LinkedHashMap<>();
    private final List<Keys> keys = new ArrayList<>();
    private final List<String> tips = new ArrayList<>();
    private List<String> flags = List.of();
    private List<String> categories = List.of();
    private Order order = Order.IMMEDIATE;
    private @Nullable Predicate<Call> mergeable;
    private @Nullable GroupHandler groupHandler;
    private boolean sameSlot;
    private String group = "generic";
    private String since = "1.0.0";
    private String complexity = "O(1)";
    private String summary = "";
    private String syntax = "";
    private @Nullable Handler handler;

    CommandSpec(String name, int arity, @Nullable CommandSpec parent) {
        this.name = name;
        this.arity = arity;
        this.parent = parent;
    }

    /** The name in lower case, without that of the container. */
    public String name() {
        return name;
    }

    /** The name with that of its container, as in {@code client|list}. */
    public String fullName() {
        return parent == null ? name : parent.name + "|" + name;
    }

    /** The number of arguments with the name; negative for at least so many. */
    public int arity() {
        return arity;
    }

    /** Whether so many arguments may be given. */
    public boolean accepts(int argumentCount) {
        return arity >= 0 ? argumentCount == arity : argumentCount >= -arity;
    }

    /** The subcommands in the order given. */
    public Collection<CommandSpec> subcommands() {
        return subcommands.values();
    }

    /** Whether the command is only a name above its subcommands. */
    public boolean isContainer() {
        return !subcommands.isEmpty();
    }

    @Nullable
    CommandSpec subcommand(String lowerName) {
        return subcommands.get(lowerName);
    }

    /** When it may run. */
    public Order order() {
        return order;
    }

    /**
     * Whether the call may be carried out together with others of this command and the same key that follow one another:
     * as if all took place at one moment, in their order.
     */
    public boolean mergeable(Call call) {
        return mergeable != null && mergeable.test(call);
    }

    /** Carries out mergeable calls with the same key. */
    public void handleAll(List<? extends Call> calls) {
        Objects.requireNonNull(groupHandler).handle(calls);
    }

    /** Whether its keys must share a slot. */
    public boolean sameSlot() {
        return sameSlot;
    }

    /** Whether it may be used before the password was given. */
    public boolean withoutPassword() {
        return flags.contains("no_auth");
    }

    /** Who carries it out; null for a container without a form of its own. */
    public @Nullable Handler handler() {
        return handler;
    }

    /** The indexes of its keys among so many arguments. */
    public int[] keyIndexes(int argumentCount) {
        if (keys.isEmpty()) {
            return new int[0];
        }
        int[] indexes = new int[argumentCount];
        int count = 0;
        for (Keys part : keys) {
            for (int i = part.first(); i <= part.lastIndex(argumentCount) && i < argumentCount; i += part.step()) {
                indexes[count++] = i;
            }
        }
        return Arrays.copyOf(indexes, count);
    }

    /** The index of the only key that it ever has; 0 if it may have none or several. */
    public int singleKeyIndex() {
        return keys.size() == 1 && keys.get(0).last() == 0 ? keys.get(0).first() : 0;
    }

    List<Keys> keys() {
        return keys;
    }

    List<String> flags() {
        return flags;
    }

    List<String> categories() {
        return categories;
    }

    List<String> tips() {
        return tips;
    }

    String group() {
        return group;
    }

    String since() {
        return since;
    }

    String complexity() {
        return complexity;
    }

    String summary() {
        return summary;
    }

    String syntax() {
        return syntax;
    }

    // The rest fills the table.

    CommandSpec sub(String subName, int subArity) {
        CommandSpec sub = new CommandSpec(subName, subArity, this);
        sub.group = group;
        subcommands.put(subName, sub);
        return sub;
    }

    CommandSpec flags(String words) {
        flags = words.isEmpty() ? List.of() : List.of(words.split(" "));
        return this;
    }

    CommandSpec categories(String words) {
        categories = words.isEmpty() ? List.of() : List.of(words.split(" "));
        return this;
    }

    CommandSpec tips(String words) {
        tips.addAll(List.of(words.split(" ")));
        return this;
    }

    CommandSpec key(int first, int last, int step, String keyFlags) {
        return key(first, last, step, keyFlags, "");
    }

    CommandSpec key(int first, int last, int step, String keyFlags, String notes) {
        keys.add(new Keys(first, last, step, keyFlags, notes));
        if (order == Order.IMMEDIATE) {
            order = Order.BY_KEY;
        }
        return this;
    }

    CommandSpec sharingASlot() {
        sameSlot = true;
        return this;
    }

    CommandSpec alone() {
        order = Order.ALONE;
        return this;
    }

    CommandSpec mergesAll(Predicate<Call> which, GroupHandler value) {
        mergeable = which;
        groupHandler = value;
        return this;
    }

    CommandSpec group(String value) {
        group = value;
        return this;
    }

    CommandSpec since(String value) {
        since = value;
        return this;
    }

    CommandSpec complexity(String value) {
        complexity = value;
        return this;
    }

    CommandSpec doc(String value, String arguments) {
        summary = value;
        syntax = arguments;
        return this;
    }

    CommandSpec does(Handler value) {
        handler = value;
        return this;
    }
}
