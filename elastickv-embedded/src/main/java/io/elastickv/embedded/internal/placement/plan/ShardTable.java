package io.elastickv.embedded.internal.placement.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The shards in columns, by number, with the nodes of their replicas as indices into the {@link NodeTable}. */
final class ShardTable {

    final int size;
    /** Has an operation, running or planned in this round: its columns are no longer what will be. */
    final boolean[] busy;
    /** The index of the leading node, or {@link NodeTable#UNKNOWN}. */
    final int[] leader;
    /** What leading it costs. */
    final double[] leadCost;
    /** What each replica costs. */
    final double[] replicaCost;
    /** By which to multiply both for what they are over a longer time. */
    final double[] steadiness;

    private final ShardState[] states;
    private final ShardLoad[] loads;
    private final int[] first;
    private final int[] replicaNode;
    private final int[] firstOfNode;
    private final int[] shardOfNode;
    private final Map<Integer, Integer> byId;

    ShardTable(CatalogView catalog, Loads given, NodeTable nodes) {
        List<ShardState> sorted = new ArrayList<>(catalog.shards());
        sorted.sort(Comparator.comparingInt(ShardState::id));
        PlanSettings.Costs costs = catalog.settings().costs();
        size = sorted.size();
        states = sorted.toArray(new ShardState[0]);
        loads = new ShardLoad[size];
        busy = new boolean[size];
        leader = new int[size];
        leadCost = new double[size];
        replicaCost = new double[size];
        steadiness = new double[size];
        first = new int[size + 1];
        byId = new HashMap<>(size * 2);
        for (int s = 0; s < size; s++) {
            if (byId.put(states[s].id(), s) != null) {
                throw new IllegalArgumentException("two shards have the number " + states[s].id());
            }
            first[s + 1] = first[s] + states[s].replicas().size();
        }
        replicaNode = new int[first[size]];
        firstOfNode = new int[nodes.size + 1];
        for (int s = 0; s < size; s++) {
            ShardState state = states[s];
            String led = state.leader();
            leader[s] = led == null ? NodeTable.UNKNOWN : nodes.indexOf(led);
            ShardLoad load = given.of(state.id());
            loads[s] = load;
            steadiness[s] = load.steadiness();
            leadCost[s] = costs.lead(load);
            replicaCost[s] = costs.replica(load);
            int count = state.replicas().size();
            if (!state.relieved().isEmpty() && count > 0) {
                // Its reads, nearly all of its load, are spread.
                replicaCost[s] += leadCost[s] / count;
                leadCost[s] = 0;
            }
            for (int i = 0; i < count; i++) {
                int node = nodes.indexOf(state.replicas().get(i).node());
                replicaNode[first[s] + i] = node;
                if (node != NodeTable.UNKNOWN) {
                    firstOfNode[node + 1]++;
                    nodes.replicas[node]++;
                    nodes.carry(node, replicaCost[s], steadiness[s]);
                }
            }
            if (leader[s] != NodeTable.UNKNOWN) {
                nodes.leaders[leader[s]]++;
                nodes.lead(leader[s], leadCost[s], steadiness[s]);
            }
        }
        for (int n = 0; n < nodes.size; n++) {
            firstOfNode[n + 1] += firstOfNode[n];
        }
        shardOfNode = new int[firstOfNode[nodes.size]];
        int[] next = Arrays.copyOf(firstOfNode, nodes.size);
        for (int s = 0; s < size; s++) {
            for (int i = first[s]; i < first[s + 1]; i++) {
                if (replicaNode[i] != NodeTable.UNKNOWN) {
                    shardOfNode[next[replicaNode[i]]++] = s;
                }
            }
        }
    }

    /** The index of the shard with this number, -1 if there is none. */
    int indexOf(int id) {
        return byId.getOrDefault(id, -1);
    }

    ShardState state(int shard) {
        return states[shard];
    }

    ShardLoad load(int shard) {
        return loads[shard];
    }

    int replicaCount(int shard) {
        return first[shard + 1] - first[shard];
    }

    /** The node of the shard's replica number {@code i}. */
    int node(int shard, int i) {
        return replicaNode[first[shard] + i];
    }

    ReplicaState replica(int shard, int i) {
        return states[shard].replicas().get(i);
    }

    /** Whether {@code node} has a replica of the shard. */
    boolean isOn(int shard, int node) {
        for (int i = first[shard]; i < first[shard + 1]; i++) {
            if (replicaNode[i] == node) {
                return true;
            }
        }
        return false;
    }

    /** What {@code node} is relieved of when the shard leaves it. */
    double costOn(int shard, int node) {
        return replicaCost[shard] + (leader[shard] == node ? leadCost[shard] : 0);
    }

    /** How many shards have a replica on {@code node}. */
    int countOn(int node) {
        return firstOfNode[node + 1] - firstOfNode[node];
    }

    /** The shard number {@code i} of those with a replica on {@code node}. */
    int on(int node, int i) {
        return shardOfNode[firstOfNode[node] + i];
    }
}
