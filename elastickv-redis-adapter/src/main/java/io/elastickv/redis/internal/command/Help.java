package io.elastickv.redis.internal.command;

import io.elastickv.redis.internal.resp.Reply;
import java.util.ArrayList;
import java.util.List;

/** The answers to {@code HELP}. */
final class Help {

    private Help() {}

    /** The lines between the heading and the entry of HELP itself, which are the same everywhere. */
    static Reply reply(String command, List<String> lines) {
        List<Reply> replies = new ArrayList<>(lines.size() + 3);
        replies.add(Reply.simple(command + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
        lines.forEach(line -> replies.add(Reply.simple(line)));
        replies.add(Reply.simple("HELP"));
        replies.add(Reply.simple("    Prints this help."));
        return Reply.array(replies);
    }
}
