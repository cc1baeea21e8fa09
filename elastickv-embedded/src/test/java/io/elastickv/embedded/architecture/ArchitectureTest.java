package io.elastickv.embedded.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitCallTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import io.elastickv.api.Bytes;
import io.elastickv.api.SlotRange;
import io.elastickv.embedded.Elastickv;
import java.net.URL;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Who may know whom: the design's list of packages, each of which uses only those below it. */
final class ArchitectureTest {

    private static final String BASE = "io.elastickv.embedded";
    private static final String INTERNAL = BASE + ".internal.";
    private static final String API = "io.elastickv.api";

    /** From top to bottom. */
    private static final List<String> LAYERS = List.of(
            "node",
            "backup",
            "placement",
            "placement.plan",
            "routing",
            "shard",
            "storage",
            "command",
            "raft",
            "raft.log",
            "raft.core",
            "files");

    private static final Set<String> MAY_USE_API =
            Set.of("node", "backup", "placement", "placement.plan", "routing", "shard");
    private static final String TRANSPORT = "transport";

    private static JavaClasses classes;

    @BeforeAll
    static void read() {
        classes = new ClassFileImporter().importUrls(List.of(homeOf(Bytes.class), homeOf(Elastickv.class)));
        // Rules about nothing are always kept.
        assertThat(classes.size()).isGreaterThan(100);
    }

    /** Where a class comes from: the module's own classes, without its tests. */
    private static URL homeOf(Class<?> type) {
        return type.getProtectionDomain().getCodeSource().getLocation();
    }

    private static void check(ArchRule rule) {
        rule.allowEmptyShould(false).check(classes);
    }

    private static DescribedPredicate<JavaClass> in(String packageName) {
        return resideInAPackage(INTERNAL + packageName);
    }

    @Test
    void everyPackageIsInTheListOfLayers() {
        Set<String> known = new TreeSet<>(LAYERS);
        known.add(TRANSPORT);
        Set<String> found = new TreeSet<>();
        for (JavaClass type : classes) {
            if (type.getPackageName().startsWith(INTERNAL)) {
                found.add(type.getPackageName().substring(INTERNAL.length()));
            }
        }
        assertThat(found).isEqualTo(known);
    }

    @Test
    void eachLayerUsesOnlyThoseBelowIt() {
        Map<String, Set<String>> trespasses = new TreeMap<>();
        for (int i = 0; i < LAYERS.size(); i++) {
            for (int above = 0; above < i; above++) {
                ArchRule rule = noClasses()
                        .that(in(LAYERS.get(i)))
                        .should()
                        .dependOnClassesThat(in(LAYERS.get(above)))
                        .allowEmptyShould(false);
                var result = rule.evaluate(classes);
                if (result.hasViolation()) {
                    trespasses.put(
                            LAYERS.get(i) + " uses " + LAYERS.get(above),
                            Set.copyOf(result.getFailureReport().getDetails()));
                }
            }
        }
        assertThat(trespasses).isEmpty();
    }

    @Test
    void theTransportKnowsNoOtherPackage() {
        check(noClasses()
                .that(in(TRANSPORT))
                .should()
                .dependOnClassesThat(
                        resideInAnyPackage(BASE + "..", API + "..").and(DescribedPredicate.not(in(TRANSPORT)))));
    }

    @Test
    void onlyTheUpperLayersKnowTheTransport() {
        // Consensus, state machine and storage do without a network.
        for (String layer : LAYERS.subList(LAYERS.indexOf("shard"), LAYERS.size())) {
            check(noClasses().that(in(layer)).should().dependOnClassesThat(in(TRANSPORT)));
        }
    }

    @Test
    void theApiIsUsedOnlyWhereCallersAreServed() {
        for (String layer : LAYERS) {
            if (!MAY_USE_API.contains(layer)) {
                check(noClasses().that(in(layer)).should().dependOnClassesThat(resideInAPackage(API)));
            }
        }
    }

    @Test
    void theApiDependsOnNothing() {
        check(classes()
                .that(resideInAPackage(API + ".."))
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(API + "..", "java..", "org.jspecify.annotations")));
    }

    @Test
    void nothingInternalShowsInThePublicFace() {
        check(classes()
                .that(resideInAPackage(BASE))
                .should(new ArchCondition<>("have public methods of JDK and API types only") {
                    @Override
                    public void check(JavaClass type, ConditionEvents events) {
                        type.getMethods().stream()
                                .filter(method -> method.getModifiers().contains(JavaModifier.PUBLIC))
                                .forEach(method -> {
                                    Set<String> types = method.getRawParameterTypes().stream()
                                            .map(JavaClass::getPackageName)
                                            .collect(Collectors.toCollection(TreeSet::new));
                                    types.add(method.getRawReturnType().getPackageName());
                                    boolean clean = types.stream()
                                            .allMatch(name -> name.isEmpty()
                                                    || name.startsWith("java.")
                                                    || name.equals(BASE)
                                                    || name.equals(API));
                                    events.add(new SimpleConditionEvent(
                                            type, clean, method.getFullName() + " shows " + types));
                                });
                    }
                }));
    }

    @Test
    void onlyTheTransportKnowsJGroups() {
        check(noClasses()
                .that(DescribedPredicate.not(in(TRANSPORT)))
                .should()
                .dependOnClassesThat(resideInAPackage("org.jgroups..")));
        check(classes()
                .that(in(TRANSPORT)
                        .and(DescribedPredicate.describe(
                                "ShardRaft", type -> type.getSimpleName().equals("ShardRaft"))))
                .should()
                .dependOnClassesThat(resideInAPackage("org.jgroups..")));
    }

    @Test
    void onlyStoragesChronicleClassesKnowChronicle() {
        check(noClasses()
                .that(DescribedPredicate.not(in("storage")
                        .and(DescribedPredicate.describe(
                                "named Chronicle*",
                                type -> type.getName()
                                        .substring(type.getPackageName().length() + 1)
                                        .startsWith("Chronicle")))))
                .should()
                .dependOnClassesThat(resideInAPackage("net.openhft..")));
    }

    @Test
    void consensusCommandsAndPlansArePure() {
        for (String layer : List.of("raft.core", "command", "placement.plan")) {
            check(classes()
                    .that(in(layer))
                    .should()
                    .onlyDependOnClassesThat(resideInAnyPackage(
                                    INTERNAL + layer,
                                    "java.lang..",
                                    "java.util..",
                                    "java.nio",
                                    "java.nio.charset",
                                    "org.jspecify.annotations")
                            // Plain values, which plans speak of.
                            .or(DescribedPredicate.describe(
                                    "values of the API",
                                    type -> layer.equals("placement.plan")
                                            && (type.isEquivalentTo(Bytes.class)
                                                    || type.isEquivalentTo(SlotRange.class))))));
            check(noClasses()
                    .that(in(layer))
                    .should()
                    .dependOnClassesThat(resideInAnyPackage(
                            "java.io..", "java.net..", "java.nio.file..", "java.nio.channels..", "java.time..")));
            check(noClasses().that(in(layer)).should().dependOnClassesThat(resideInAPackage("java.util.concurrent..")));
            check(noClasses()
                    .that(in(layer))
                    .should()
                    .dependOnClassesThat(DescribedPredicate.describe(
                            "threads",
                            type -> type.isEquivalentTo(Thread.class) || type.isEquivalentTo(ThreadLocal.class))));
            check(classes().that(in(layer)).should(readNoClockAndThrowNoDice()));
        }
    }

    private static ArchCondition<JavaClass> readNoClockAndThrowNoDice() {
        return new ArchCondition<>("read no clock and use no unseeded randomness") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                for (JavaAccess<?> access : type.getAccessesFromSelf()) {
                    String target = access.getTargetOwner().getName() + "." + access.getName();
                    boolean noArguments = access.getTarget() instanceof CodeUnitCallTarget call
                            && call.getRawParameterTypes().isEmpty();
                    boolean impure = target.equals("java.lang.System.currentTimeMillis")
                            || target.equals("java.lang.System.nanoTime")
                            || target.equals("java.lang.Math.random")
                            || target.equals("java.lang.StrictMath.random")
                            || target.equals("java.util.UUID.randomUUID")
                            || target.startsWith("java.security.")
                            || (noArguments
                                    && (target.equals("java.util.Random.<init>")
                                            || target.equals("java.util.SplittableRandom.<init>")
                                            || target.equals("java.util.Date.<init>")));
                    events.add(new SimpleConditionEvent(type, !impure, access.getDescription()));
                }
                events.add(SimpleConditionEvent.satisfied(type, type.getName()));
            }
        };
    }

    @Test
    void everyPackageIsNullMarked() {
        Set<String> packages = new TreeSet<>();
        Set<String> marked = new TreeSet<>();
        for (JavaClass type : classes) {
            packages.add(type.getPackageName());
            if (type.getSimpleName().equals("package-info")
                    && type.isAnnotatedWith("org.jspecify.annotations.NullMarked")) {
                marked.add(type.getPackageName());
            }
        }
        assertThat(marked).isEqualTo(packages);
    }
}
