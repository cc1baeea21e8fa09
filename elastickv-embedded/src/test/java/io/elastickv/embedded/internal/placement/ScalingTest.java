package io.elastickv.embedded.internal.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.elastickv.api.NodeProvisioner;
import io.elastickv.api.ScalingPolicy;
import io.elastickv.embedded.internal.placement.Scaling.Memory;
import io.elastickv.embedded.internal.placement.plan.NodeState.Lifecycle;
import io.elastickv.embedded.internal.placement.plan.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ScalingTest {

    /** 600 operations/s for each node. */
    private static final ScalingPolicy POLICY = ScalingPolicy.of(1000, 3, 8);

    private Memory memory = Memory.NONE;
    private long now = 1_000_000;

    private static List<Scaling.Node> nodes(int count, double opsEach) {
        List<Scaling.Node> nodes = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            nodes.add(new Scaling.Node("n" + i, "", Lifecycle.ACTIVE, true, i, opsEach));
        }
        return nodes;
    }

    private Scaling.Decision decide(List<Scaling.Node> nodes) {
        Scaling.Decision decision = Scaling.evaluate(POLICY, nodes, 3, memory, now);
        memory = decision.memory();
        return decision;
    }

    private Scaling.Decision after(int seconds, List<Scaling.Node> nodes) {
        now += seconds * 1000L;
        return decide(nodes);
    }

    @Test
    void tooMuchForLongAsksForAsManyNodesAsAreEnough() {
        assertThat(decide(nodes(3, 1000)).add()).isZero();
        assertThat(after(29, nodes(3, 1000)).add()).isZero();
        Scaling.Decision decision = after(1, nodes(3, 1000));
        assertThat(decision.add()).as("3000 operations/s are 600 on 5 nodes").isEqualTo(2);
        assertThat(decision.reason())
                .isEqualTo("3000 operations/s on 3 nodes are 100 % of what they can do, the target is 60 % for 30 s");
        assertThat(after(60, nodes(3, 1000)).reason()).contains("changed a moment ago");
        assertThat(after(60, nodes(3, 1000)).add()).as("they did not come").isEqualTo(0);
        assertThat(after(31, nodes(3, 1000)).add()).isEqualTo(2);
    }

    @Test
    void aPeakIsNoReason() {
        for (int i = 0; i < 20; i++) {
            assertThat(after(20, nodes(3, 1000)).add()).isZero();
            assertThat(after(1, nodes(3, 500)).add()).isZero();
        }
    }

    @Test
    void thereAreNeverMoreThanTheMost() {
        decide(nodes(7, 1000));
        assertThat(after(30, nodes(7, 1000)).add()).isEqualTo(1);
        memory = Memory.NONE;
        decide(nodes(8, 1000));
        assertThat(after(30, nodes(8, 1000)).add()).isZero();
        assertThat(after(1, nodes(8, 1000)).reason()).contains("no more than 8");
    }

    @Test
    void tooLittleForLongDrainsThoseThatCameLast() {
        decide(nodes(6, 200));
        assertThat(after(299, nodes(6, 200)).remove()).isEmpty();
        Scaling.Decision decision = after(1, nodes(6, 200));
        assertThat(decision.remove()).containsExactly("n6", "n5", "n4");
        assertThat(decision.reason()).contains("20 %").contains("3 are enough");
    }

    @Test
    void whatRemainsIsNotAskedForAgain() {
        for (int count = 4; count <= 8; count++) {
            for (int ops = 10; ops < 600; ops += 7) {
                memory = Memory.NONE;
                decide(nodes(count, ops));
                int left = count - after(300, nodes(count, ops)).remove().size();
                memory = Memory.NONE;
                double each = (double) ops * count / left;
                decide(nodes(left, each));
                assertThat(after(30, nodes(left, each)).add()).isZero();
                assertThat(left).isGreaterThanOrEqualTo(3);
                assertThat(left == count || each <= 600 * ScalingPolicy.SLACK + 1e-6)
                        .isTrue();
            }
        }
    }

    @Test
    void nothingIsDecidedWhileNodesComeGoOrAreMissed() {
        decide(nodes(3, 1000));
        List<Scaling.Node> joining = nodes(3, 1000);
        joining.add(new Scaling.Node("n4", "", Lifecycle.JOINING, false, now, 0));
        assertThat(after(60, joining).reason()).isEqualTo("node n4 is joining");
        List<Scaling.Node> draining = nodes(5, 100);
        draining.set(4, new Scaling.Node("n5", "", Lifecycle.DRAINING, true, 5, 0));
        assertThat(after(600, draining).remove()).isEmpty();
        assertThat(after(60, nodes(4, 100)).reason()).as("it has just gone").contains("changed a moment ago");
        memory = Memory.NONE;
        List<Scaling.Node> missed = nodes(4, 1000);
        missed.set(0, new Scaling.Node("n1", "", Lifecycle.ACTIVE, false, 1, 0));
        decide(missed);
        assertThat(after(600, missed).reason()).isEqualTo("node n1 does not answer");
    }

    @Test
    void fewerThanTheLeastAreReplacedAtOnce() {
        assertThat(decide(nodes(2, 1)).add()).isEqualTo(1);
        assertThat(after(1, nodes(2, 1)).add()).as("not again at once").isZero();
        assertThat(after(120, nodes(2, 1)).add()).isEqualTo(1);
    }

    @Test
    void theZonesStayEven() {
        List<Scaling.Node> nodes = new ArrayList<>();
        String[] zones = {"a", "b", "c", "a", "b", "a"};
        for (int i = 0; i < zones.length; i++) {
            nodes.add(new Scaling.Node("n" + (i + 1), zones[i], Lifecycle.ACTIVE, true, 0, 10 * i));
        }
        decide(nodes);
        assertThat(after(300, nodes).remove()).containsExactly("n1", "n2", "n4");
    }

    @Test
    void underAnyConstantLoadItComesToRest() {
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < 200; i++) {
            memory = Memory.NONE;
            int count = 3 + random.nextInt(6);
            double load = random.nextDouble() * 6000;
            int changes = 0;
            for (int second = 0; second < 4000; second += 10) {
                Scaling.Decision decision = after(10, nodes(count, load / count));
                if (decision.add() > 0 || !decision.remove().isEmpty()) {
                    count += decision.add() - decision.remove().size();
                    changes++;
                }
            }
            assertThat(changes).as("load " + load).isLessThanOrEqualTo(1);
            assertThat(load / count <= 600 + 1e-6 || count == 8).isTrue();
        }
    }

    @Test
    void figuresThatCannotBeAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> ScalingPolicy.of(0, 3, 8));
        assertThatIllegalArgumentException().isThrownBy(() -> ScalingPolicy.of(1, 3, 2));
        assertThatIllegalArgumentException().isThrownBy(() -> POLICY.withTargetUtilisation(1.1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> POLICY.withTimes(Duration.ofSeconds(-1), Duration.ZERO, Duration.ZERO))
                .withMessageContaining("addAfter");
    }

    @Test
    void theApplicationStartsNodesAndIsToldWhichMayGo() throws Exception {
        DriverRig rig = DriverRig.of(5, 8);
        rig.round();
        List<String> told = new ArrayList<>();
        NodeProvisioner provisioner = new NodeProvisioner() {
            @Override
            public void addNodes(int count, String reason) {
                told.add("add " + count);
                throw new IllegalStateException("it is logged");
            }

            @Override
            public void nodeReleased(String node) {
                told.add("released " + node);
                if (told.size() == 1) {
                    throw new IllegalStateException("it is told again");
                }
            }
        };
        ScalingPolicy policy = POLICY.withTimes(Duration.ofSeconds(10), Duration.ofSeconds(10), Duration.ofSeconds(10));
        ScalingRunner runner = new ScalingRunner(policy, provisioner, Runnable::run);
        ScalingRunner.Drains drains = node -> rig.driver.request(new Request.Drain(node), rig.world.now);
        Map<String, Double> ops = new TreeMap<>();
        rig.state().nodes().keySet().forEach(node -> ops.put(node, 400.0));
        for (int i = 0; i < 400; i++) {
            rig.round();
            runner.look(rig.state(), rig.world.nodes(), ops, drains, rig.world.now);
        }

        assertThat(rig.state().nodes()).hasSize(4).doesNotContainKey("n5");
        assertThat(told).as(runner.reason()).containsExactly("released n5", "released n5");
        assertThat(rig.state().past()).anyMatch(past -> past.operation().equals(new Operation.ReleaseNode("n5")));
        ops.replaceAll((node, each) -> 800.0);
        ops.remove("n5");
        for (int i = 0; i < 60; i++) {
            rig.round();
            runner.look(rig.state(), rig.world.nodes(), ops, drains, rig.world.now);
        }
        assertThat(told).containsExactly("released n5", "released n5", "add 2");
    }
}
