package io.elastickv.embedded.internal.raft.log;

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

/** For tests that break thousands of logs: their warnings would drown everything else. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(QuietLog.Silence.class)
@interface QuietLog {

    /** Switches the package's logging off, and on again. */
    final class Silence implements BeforeAllCallback, AfterAllCallback {

        @Override
        public void beforeAll(ExtensionContext context) {
            logger().setLevel(Level.OFF);
        }

        @Override
        public void afterAll(ExtensionContext context) {
            logger().setLevel(null);
        }

        private static Logger logger() {
            return (Logger) LoggerFactory.getLogger(QuietLog.class.getPackageName());
        }
    }
}
