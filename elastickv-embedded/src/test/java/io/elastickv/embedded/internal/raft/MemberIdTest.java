package io.elastickv.embedded.internal.raft;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MemberIdTest {

    @Test
    void aMemberIsANodeAndAKey() {
        String member = MemberId.of("n1", "3f.7");
        assertThat(MemberId.node(member)).isEqualTo("n1");
        assertThat(MemberId.key(member)).isEqualTo("3f.7");
    }

    @Test
    void theKeyMayBeLeftOut() {
        assertThat(MemberId.node("n1")).isEqualTo("n1");
        assertThat(MemberId.key("n1")).isEmpty();
    }
}
