package io.elastickv.embedded.internal.raft;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;

/** Callbacks that keep what they were told as text; a second answer stands there too. */
final class Outcomes {

    private final List<String> told = new ArrayList<>();

    List<String> told() {
        return told;
    }

    ProposalCallback proposal(String name) {
        return new ProposalCallback() {
            @Override
            public void applied(Object result) {
                told.add(name + " applied " + result);
            }

            @Override
            public void notProposed(Refusal reason, String leaderHint) {
                told.add(name + " not proposed " + reason + " " + leaderHint);
            }

            @Override
            public void unknown() {
                told.add(name + " unknown");
            }
        };
    }

    ReadCallback read(String name) {
        return new ReadCallback() {
            @Override
            public void ready(long leaderWallMillis) {
                told.add(name + " ready");
            }

            @Override
            public void failed(ProposalCallback.Refusal reason, String leaderHint) {
                told.add(name + " failed " + reason + " " + leaderHint);
            }
        };
    }

    static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
