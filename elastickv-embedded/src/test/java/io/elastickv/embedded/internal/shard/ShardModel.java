package io.elastickv.embedded.internal.shard;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.CommandResult.Written;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.StoredValue;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/** What a shard should do, written as simply as possible: a sorted map from which the expired entries go first of all. */
final class ShardModel {

    final TreeMap<String, StoredValue> entries = new TreeMap<>();
    long timeMillis;

    CommandResult apply(long index, long envelopeTimeMillis, Command command) {
        timeMillis = Math.max(timeMillis, envelopeTimeMillis);
        if (command instanceof Command.AdvanceTime advance) {
            timeMillis = Math.max(timeMillis, advance.millis());
        }
        long before = entries.size();
        List<String> doomed = new ArrayList<>();
        entries.forEach((key, value) -> {
            if (value.expiresAtMillis() != 0 && value.expiresAtMillis() <= timeMillis) {
                doomed.add(key);
            }
        });
        doomed.forEach(entries::remove);
        if (command instanceof Command.Put put) {
            return put(index, put);
        } else if (command instanceof Command.Delete delete) {
            return delete(delete);
        } else if (command instanceof Command.Expire expire) {
            return new CommandResult.Expired(expire(expire));
        } else if (command instanceof Command.Increment increment) {
            return increment(index, increment);
        } else if (command instanceof Command.PutAll putAll) {
            if (slots(putAll.keys()) > 1) {
                return new CommandResult.CrossSlot();
            }
            for (int i = 0; i < putAll.keys().size(); i++) {
                entries.put(
                        s(putAll.keys().get(i)), new StoredValue(putAll.values().get(i), index, 0));
            }
            return new CommandResult.Count(putAll.keys().size());
        } else if (command instanceof Command.DeleteAll deleteAll) {
            if (slots(deleteAll.keys()) > 1) {
                return new CommandResult.CrossSlot();
            }
            long count = 0;
            for (byte[] key : deleteAll.keys()) {
                count += entries.remove(s(key)) == null ? 0 : 1;
            }
            return new CommandResult.Count(count);
        } else if (command instanceof Command.AtomicBatch batch) {
            return batch(index, batch);
        } else if (command instanceof Command.Clear) {
            entries.clear();
            return new CommandResult.Done();
        } else if (command instanceof Command.EvictExpired) {
            return new CommandResult.Count(before - entries.size());
        }
        return new CommandResult.Done();
    }

    private Written put(long index, Command.Put put) {
        StoredValue old = entries.get(s(put.key()));
        StoredValue returned = put.returnPrevious() ? old : null;
        if (!holds(put.condition(), old)) {
            return new Written(false, old == null ? 0 : old.version(), returned);
        }
        Long expiry = expiry(put.expiry(), old);
        if (expiry == null) {
            entries.remove(s(put.key()));
            return new Written(true, 0, returned);
        }
        entries.put(s(put.key()), new StoredValue(put.value(), index, expiry));
        return new Written(true, index, returned);
    }

    private Written delete(Command.Delete delete) {
        StoredValue old = entries.get(s(delete.key()));
        StoredValue returned = delete.returnPrevious() ? old : null;
        if (old == null || !holds(delete.condition(), old)) {
            return new Written(false, old == null ? 0 : old.version(), returned);
        }
        entries.remove(s(delete.key()));
        return new Written(true, 0, returned);
    }

    private boolean expire(Command.Expire expire) {
        StoredValue old = entries.get(s(expire.key()));
        if (old == null) {
            return false;
        }
        Long changed = expiry(expire.expiry(), old);
        double oldTime = old.expiresAtMillis() == 0 ? Double.POSITIVE_INFINITY : old.expiresAtMillis();
        double newTime = changed == null ? -1 : changed == 0 ? Double.POSITIVE_INFINITY : changed;
        boolean applies = switch (expire.rule()) {
            case ALWAYS -> true;
            case IF_NONE -> old.expiresAtMillis() == 0;
            case IF_ANY -> old.expiresAtMillis() != 0;
            case IF_LATER -> newTime > oldTime;
            case IF_EARLIER -> newTime < oldTime;
        };
        if (applies && changed == null) {
            entries.remove(s(expire.key()));
        } else if (applies) {
            entries.put(s(expire.key()), new StoredValue(old.value(), old.version(), changed));
        }
        return applies;
    }

    private CommandResult increment(long index, Command.Increment increment) {
        StoredValue old = entries.get(s(increment.key()));
        String text = old == null ? "0" : s(old.value());
        if (!text.matches("0|-?[1-9][0-9]*") || new BigInteger(text).bitLength() > 63) {
            return new CommandResult.NotAnInteger();
        }
        BigInteger sum = new BigInteger(text).add(BigInteger.valueOf(increment.delta()));
        if (sum.bitLength() > 63) {
            return new CommandResult.Overflow();
        }
        entries.put(
                s(increment.key()),
                new StoredValue(sum.toString().getBytes(ISO_8859_1), index, old == null ? 0 : old.expiresAtMillis()));
        return new CommandResult.Incremented(sum.longValueExact());
    }

    private CommandResult batch(long index, Command.AtomicBatch batch) {
        List<byte[]> keys = new ArrayList<>();
        batch.requirements().forEach(r -> keys.add(r.key()));
        batch.steps().forEach(step -> keys.add(step.key()));
        if (slots(keys) > 1) {
            return new CommandResult.CrossSlot();
        }
        if (!batch.requirements().stream().allMatch(r -> holds(r.condition(), entries.get(s(r.key()))))) {
            return new CommandResult.BatchDone(false, List.of());
        }
        List<Written> results = new ArrayList<>();
        for (Command.Step step : batch.steps()) {
            if (step instanceof Command.Put put) {
                results.add(put(index, put));
            } else if (step instanceof Command.Delete delete) {
                results.add(delete(delete));
            } else if (step instanceof Command.Expire expire) {
                boolean applied = expire(expire);
                StoredValue now = entries.get(s(expire.key()));
                results.add(new Written(applied, now == null ? 0 : now.version(), null));
            } else {
                StoredValue now = entries.get(s(step.key()));
                results.add(new Written(now != null, now == null ? 0 : now.version(), now));
            }
        }
        return new CommandResult.BatchDone(true, results);
    }

    /** Null: the time has come already. */
    private Long expiry(ExpiryChange change, StoredValue old) {
        if (change instanceof ExpiryChange.Never) {
            return 0L;
        } else if (change instanceof ExpiryChange.Keep) {
            return old == null ? 0 : old.expiresAtMillis();
        }
        BigInteger time = change instanceof ExpiryChange.After after
                ? BigInteger.valueOf(timeMillis).add(BigInteger.valueOf(after.millis()))
                : BigInteger.valueOf(((ExpiryChange.At) change).epochMillis());
        if (time.compareTo(BigInteger.valueOf(timeMillis)) <= 0) {
            return null;
        }
        return time.min(BigInteger.valueOf(Long.MAX_VALUE)).longValueExact();
    }

    private static boolean holds(Precondition condition, StoredValue value) {
        if (condition instanceof Precondition.Always) {
            return true;
        } else if (condition instanceof Precondition.Absent) {
            return value == null;
        } else if (condition instanceof Precondition.Present) {
            return value != null;
        } else if (condition instanceof Precondition.VersionIs is) {
            return value != null && value.version() == is.version();
        }
        return value != null && Arrays.equals(value.value(), ((Precondition.ValueIs) condition).value());
    }

    private static int slots(List<byte[]> keys) {
        Set<Integer> slots = new HashSet<>();
        keys.forEach(key -> slots.add(KeySlot.of(key)));
        return slots.size();
    }

    static String s(byte[] bytes) {
        return new String(bytes, ISO_8859_1);
    }
}
