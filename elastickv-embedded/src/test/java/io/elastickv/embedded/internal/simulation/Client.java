package io.elastickv.embedded.internal.simulation;

import io.elastickv.embedded.internal.simulation.Call.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** A client: its sessions, what it believes of leaders, and what it wants next. */
final class Client {

    private final Simulation simulation;
    private final SplittableRandom random;
    private final int number;

    /** Its place in the network. */
    final int end;

    private final Session[] sessions;
    private final int[] leaders;
    private final Map<Keys.Key, String> seen = new HashMap<>();
    private int values;

    /** Of the client that looks at everything when all is over: what is still to be looked at. */
    final ArrayDeque<Call> script = new ArrayDeque<>();

    final List<Lane> lanes = new ArrayList<>();

    /** The last mortal key that was seen alive. */
    @Nullable
    String mortalSeen;

    Client(Simulation simulation, int number, SplittableRandom random) {
        this.simulation = simulation;
        this.number = number;
        this.random = random;
        this.end = simulation.scenario.nodes + number;
        sessions = new Session[simulation.scenario.groups];
        leaders = new int[simulation.scenario.groups];
        for (int i = 0; i < sessions.length; i++) {
            sessions[i] = new Session();
            leaders[i] = -1;
        }
    }

    Lane addLane(int onlyNode) {
        Lane lane = new Lane(simulation, this, 10 * number + lanes.size(), onlyNode, random.split());
        lanes.add(lane);
        return lane;
    }

    // ---- sessions

    Session session(int group) {
        return sessions[group];
    }

    void opened(int group, long id) {
        if (sessions[group].id == 0) {
            sessions[group].id = id;
        }
    }

    void lost(Session session) {
        for (int i = 0; i < sessions.length; i++) {
            if (sessions[i] == session) {
                sessions[i] = new Session();
            }
        }
    }

    // ---- whom to ask

    int target(int group, boolean reads) {
        int leader = leaders[group];
        if (leader < 0 || random.nextInt(reads ? 2 : 20) == 0) {
            return random.nextInt(simulation.scenario.nodes);
        }
        return leader;
    }

    void leaderIs(int group, @Nullable String hint) {
        leaders[group] = hint == null ? -1 : simulation.numberOf(hint);
    }

    void forgetLeader(int group) {
        leaders[group] = -1;
    }

    // ---- what to do

    void saw(Keys.Key key, @Nullable String value) {
        if (value == null) {
            seen.remove(key);
        } else {
            seen.put(key, value);
            if (key.use() == Keys.Use.MORTAL) {
                mortalSeen = key.name() + " = " + value;
            }
        }
    }

    Call nextCall() {
        int group = random.nextInt(simulation.scenario.groups);
        List<Keys.Key> keys = Keys.of(group);
        Keys.Key key = keys.get(random.nextInt(keys.size()));
        int dice = random.nextInt(100);
        if (simulation.isBusy() && key.use() == Keys.Use.MORTAL) {
            key = keys.get(random.nextInt(4)); // many deaths at a time are too much for the checker
        }
        if (dice == 0) {
            return new Call(Kind.MISROUTED, key, null, value(), 0);
        }
        switch (key.use()) {
            case COUNTER -> {
                return new Call(dice < 70 ? Kind.INCREMENT : Kind.GET, key, null, null, 0);
            }
            case PAIR -> {
                return dice < 50
                        ? new Call(Kind.PUT_PAIR, key, null, value(), 0)
                        : new Call(Kind.GET_PAIR, key, null, null, 0);
            }
            default -> {
                long ttl = key.use() == Keys.Use.MORTAL ? 1 + random.nextLong(simulation.scenario.maxTtlMillis) : 0;
                if (dice < 40) {
                    return new Call(Kind.GET, key, null, null, 0);
                } else if (dice < 65) {
                    return new Call(Kind.PUT, key, null, value(), ttl);
                } else if (dice < 90) {
                    return new Call(Kind.CAS, key, seen.get(key), value(), ttl);
                }
                return new Call(Kind.DELETE, key, null, dice < 95 ? "previous" : null, 0);
            }
        }
    }

    /** Never the same twice. */
    private String value() {
        String value = number + "." + values++;
        return random.nextInt(16) == 0 ? value + ".".repeat(random.nextInt(600)) : value;
    }

    void next(Lane lane) {
        Call call = script.poll();
        if (call != null) {
            lane.begin(call);
        }
    }
}
