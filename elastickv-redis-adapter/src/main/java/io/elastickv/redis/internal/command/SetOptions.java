package io.elastickv.redis.internal.command;

import io.elastickv.api.Condition;
import io.elastickv.api.Expiry;
import io.elastickv.api.PutOptions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** The options of {@code SET} and {@code GETEX}, which share their grammar and its errors. */
final class SetOptions {

    private enum Unit {
        EX,
        PX,
        EXAT,
        PXAT
    }

    boolean ifAbsent;
    boolean ifPresent;
    boolean get;
    private boolean keepTtl;
    private boolean persist;
    private Unit unit = Unit.EX;
    private int timeIndex;

    private SetOptions() {}

    /** Parses the options of {@code SET} from the fourth argument on. */
    static SetOptions ofSet(Call call) {
        SetOptions options = new SetOptions();
        for (int i = 3; i < call.size(); i++) {
            if (call.is(i, "nx") && !options.ifPresent) {
                options.ifAbsent = true;
            } else if (call.is(i, "xx") && !options.ifAbsent) {
                options.ifPresent = true;
            } else if (call.is(i, "get")) {
                options.get = true;
            } else if (call.is(i, "keepttl") && options.timeIndex == 0) {
                options.keepTtl = true;
            } else {
                options.time(call, i++);
            }
        }
        return options;
    }

    /** Parses the options of {@code GETEX} from the third argument on. */
    static SetOptions ofGetEx(Call call) {
        SetOptions options = new SetOptions();
        for (int i = 2; i < call.size(); i++) {
            if (call.is(i, "persist") && options.timeIndex == 0) {
                options.persist = true;
            } else {
                options.time(call, i++);
            }
        }
        return options;
    }

    private void time(Call call, int index) {
        for (Unit candidate : Unit.values()) {
            if (call.is(index, candidate.name().toLowerCase(java.util.Locale.ROOT))) {
                // The same unit twice is allowed, as in Redis: the last one counts.
                if (index + 1 >= call.size() || keepTtl || persist || (timeIndex != 0 && unit != candidate)) {
                    break;
                }
                unit = candidate;
                timeIndex = index + 1;
                return;
            }
        }
        throw CommandException.syntax();
    }

    /** Whether anything is said about the expiry. */
    boolean changesExpiry() {
        return persist || timeIndex != 0;
    }

    /**
     * What becomes of the expiry.
     *
     * @throws CommandException if the time given is no integer or out of range
     */
    Expiry expiry(Call call, String command, InstantSource clock) {
        if (keepTtl) {
            return Expiry.keep();
        }
        if (timeIndex == 0) {
            return Expiry.never();
        }
        return expiry(
                call.integer(timeIndex),
                unit == Unit.EX || unit == Unit.EXAT,
                unit == Unit.EXAT || unit == Unit.PXAT,
                command,
                clock);
    }

    /** An expiry as commands that write a value give it: it must be positive and fit. */
    static Expiry expiry(long time, boolean seconds, boolean absolute, String command, InstantSource clock) {
        if (time <= 0 || (seconds && time > Long.MAX_VALUE / 1000)) {
            throw invalidTime(command);
        }
        long millis = seconds ? time * 1000 : time;
        if (absolute) {
            return Expiry.at(Instant.ofEpochMilli(millis));
        }
        if (millis > Long.MAX_VALUE - clock.millis()) {
            throw invalidTime(command);
        }
        return Expiry.after(Duration.ofMillis(millis));
    }

    static CommandException invalidTime(String command) {
        return new CommandException("ERR invalid expire time in '" + command + "' command");
    }

    PutOptions put(Expiry expiry) {
        PutOptions options = PutOptions.defaults();
        if (ifAbsent) {
            options = options.when(Condition.absent());
        } else if (ifPresent) {
            options = options.when(Condition.present());
        }
        if (expiry instanceof Expiry.Never) {
            return get ? options.returnPrevious() : options;
        }
        options = options.expiry(expiry);
        return get ? options.returnPrevious() : options;
    }
}
