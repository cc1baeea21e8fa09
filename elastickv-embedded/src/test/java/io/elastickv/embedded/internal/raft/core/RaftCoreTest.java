package io.elastickv.embedded.internal.raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The smallest conversations: one member, and three on a network and disks that work at once. */
class RaftCoreTest {

    private final List<RaftCore> cores = new ArrayList<>();
    private final List<String> names = new ArrayList<>();
    private final List<Effects.ReadReady> readsReady = new ArrayList<>();

    private record Mail(String from, String to, RaftMessage message) {}

    private final ArrayDeque<Mail> mail = new ArrayDeque<>();

    private void start(int members) {
        for (int i = 1; i <= members; i++) {
            names.add("n" + i);
        }
        for (String name : names) {
            cores.add(new RaftCore(RaftConfig.of(name, names), RestoredState.empty(), 0, 0, new SplittableRandom(7)));
        }
    }

    private RaftCore core(String name) {
        return cores.get(names.indexOf(name));
    }

    private void settle() {
        boolean busy = true;
        while (busy) {
            busy = false;
            for (String name : names) {
                RaftCore core = core(name);
                while (core.hasEffects()) {
                    busy = true;
                    Effects effects = core.takeEffects();
                    for (Effects.Outbound out : effects.messages()) {
                        mail.add(new Mail(name, out.to(), out.message()));
                    }
                    readsReady.addAll(effects.readsReady());
                    if (effects.persist() != null) {
                        core.hardStateDurable(effects.persist());
                    }
                    if (!effects.appends().isEmpty()) {
                        LogEntry last = effects.appends().get(effects.appends().size() - 1);
                        core.durable(last.index(), last.term());
                    }
                }
            }
            for (Mail m = mail.poll(); m != null; m = mail.poll()) {
                busy = true;
                core(m.to).step(m.from, m.message);
            }
        }
    }

    @Test
    void aSingleVoterElectsItselfCommitsAndReads() {
        start(1);
        core("n1").campaign();
        settle();
        assertThat(core("n1").role()).isEqualTo(Role.LEADER);
        assertThat(core("n1").commitIndex()).isEqualTo(1);
        assertThat(core("n1").propose(List.of(bytes("a"), bytes("b")))).isEqualTo(new Proposal.Accepted(2, 1));
        settle();
        assertThat(core("n1").commitIndex()).isEqualTo(3);
        core("n1").read(42);
        settle();
        assertThat(readsReady).containsExactly(new Effects.ReadReady(42, 3, 0));
    }

    @Test
    void threeMembersElectReplicateCommitAndRead() {
        start(3);
        core("n2").campaign();
        settle();
        assertThat(core("n2").role()).isEqualTo(Role.LEADER);
        assertThat(core("n1").leader()).isEqualTo("n2");
        assertThat(core("n2").propose(List.of(bytes("a")))).isEqualTo(new Proposal.Accepted(2, 1));
        assertThat(core("n1").propose(List.of(bytes("x")))).isEqualTo(new Proposal.NotLeader("n2"));
        settle();
        assertThat(core("n2").commitIndex()).isEqualTo(2);
        core("n3").read(5);
        settle();
        assertThat(readsReady).containsExactly(new Effects.ReadReady(5, 2, 0));
        assertThat(core("n3").commitIndex()).isEqualTo(2);
        for (RaftCore core : cores) {
            core.tick(60_000_000, 60);
        }
        settle();
        assertThat(core("n1").committedEntries(1, 10, 1_000))
                .containsExactly(
                        new LogEntry(1, 1, EntryKind.NOOP, new byte[0]),
                        new LogEntry(2, 1, EntryKind.COMMAND, bytes("a")));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
