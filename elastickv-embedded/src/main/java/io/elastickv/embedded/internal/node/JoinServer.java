package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.node.AdminProtocol.Answer;
import io.elastickv.embedded.internal.node.AdminProtocol.Kind;
import io.elastickv.embedded.internal.node.AdminProtocol.Request;
import io.elastickv.embedded.internal.node.JoinProtocol.Join;
import io.elastickv.embedded.internal.node.JoinProtocol.Joined;
import io.elastickv.embedded.internal.node.JoinProtocol.State;
import io.elastickv.embedded.internal.placement.CatalogDelta;
import io.elastickv.embedded.internal.placement.CatalogNode;
import io.elastickv.embedded.internal.placement.CatalogState;
import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Member;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Lets nodes into the cluster on behalf of its catalog: any member can be asked, and asks the one that leads the catalog.
 * Thread-safe.
 */
final class JoinServer {

    private static final long TIMEOUT_NANOS = 3_000_000_000L;

    private final AdminClient admin;
    private final CatalogMirror catalog;
    private final Membership membership;
    private final Executor blocking;

    JoinServer(AdminClient admin, CatalogMirror catalog, Membership membership, Executor blocking) {
        this.admin = admin;
        this.catalog = catalog;
        this.membership = membership;
        this.blocking = blocking;
    }

    /** Answers a node that wants to be let in; at once, the answer comes later. */
    void answer(Join join, Consumer<Joined> answer) {
        // A member that lost its directory is taken for itself, as when it comes back with the seeds.
        Hello asMember = new Hello(join.name(), join.nodeId(), false, join.address(), 1, 1, List.of(), null);
        membership.greet(asMember, () -> blocking.execute(() -> answer.accept(answer(join))));
    }

    private Joined answer(Join join) {
        ClusterLayout known = membership.layout();
        if (known == null) {
            return new Joined(State.LATER, "the cluster has not formed yet");
        }
        if (known.knows(join.name(), join.nodeId()) && !join.nodeId().equals(known.nodeIdOf(join.name()))) {
            return new Joined(
                    State.REFUSED,
                    known.member(join.name()).isPresent()
                            ? Identities.replaced(known, join.name(), join.nodeId())
                            : "data directory " + join.nodeId() + " of node " + join.name()
                                    + " has left this cluster; to join again give the node an empty directory");
        }
        if (join.nodeId().equals(known.nodeIdOf(join.name()))) {
            return new Joined(State.MEMBER, known.toText());
        }
        Member member = known.member(join.name()).orElse(null);
        if (member != null && !member.address().equals(join.address().toString())) {
            return new Joined(
                    State.REFUSED,
                    "there is a member named " + join.name() + " at " + member.address()
                            + ": give this node another name, or drain that one first");
        }
        if (member != null) {
            return new Joined(
                    State.LATER,
                    "the cluster knows node " + join.name()
                            + " with another data directory, and has not noticed yet that" + " it is gone");
        }
        Request request = new Request(
                Kind.JOIN, List.of(join.name(), join.nodeId(), join.address().toString(), join.zone()));
        Answer answer = admin.attempt(request, System.nanoTime() + TIMEOUT_NANOS);
        if (answer == null) {
            return new Joined(State.LATER, "the catalog has no leader that answers");
        }
        return switch (answer.state()) {
            case DONE -> joined(known, answer);
            case REFUSED -> new Joined(State.REFUSED, answer.text());
            case LATER, NOT_DRIVER -> new Joined(State.LATER, answer.text());
        };
    }

    private Joined joined(ClusterLayout known, Answer answer) {
        CatalogState state = CatalogState.EMPTY.apply(CatalogDelta.decode(answer.body()));
        catalog.adopt(state);
        ClusterLayout.Roster roster = new ClusterLayout.Roster(
                state.revision(),
                state.nodes().values().stream().map(CatalogNode::toMember).toList());
        return new Joined(State.MEMBER, known.with(roster).toText());
    }
}
