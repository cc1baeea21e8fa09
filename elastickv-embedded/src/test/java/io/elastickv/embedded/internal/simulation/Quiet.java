package io.elastickv.embedded.internal.simulation;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/** Thousands of simulated nodes would log what thousands of nodes log; {@code -Dsim.log} lets them. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(Quiet.Silence.class)
@interface Quiet {

    /** Switches the logging of the whole stack off, and on again. */
    final class Silence implements BeforeAllCallback, AfterAllCallback {

        @Override
        public void beforeAll(ExtensionContext context) {
            logger().setLevel(Boolean.getBoolean("sim.log") ? Level.INFO : Level.OFF);
        }

        @Override
        public void afterAll(ExtensionContext context) {
            logger().setLevel(null);
        }

        private static Logger logger() {
            return (Logger) LoggerFactory.getLogger("io.elastickv.embedded.internal");
        }
    }
}
