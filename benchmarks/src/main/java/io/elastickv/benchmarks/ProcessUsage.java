package io.elastickv.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.nio.file.Files;
import java.nio.file.Path;

/** What this process has used. */
final class ProcessUsage {

    private static final OperatingSystemMXBean SYSTEM =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private ProcessUsage() {}

    /** The processor time of all threads, in nanoseconds. */
    static long cpuNanos() {
        return SYSTEM.getProcessCpuTime();
    }

    /** The share of the whole machine's processors that is busy now, by anybody, from 0 to 1; negative if unknown. */
    static double machineLoad() {
        return SYSTEM.getCpuLoad();
    }

    /** Whether all of the heap is resident from the start, so that what grows is something else. */
    static boolean heapIsResident() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments().contains("-XX:+AlwaysPreTouch");
    }

    /**
     * Memory, in bytes.
     *
     * @param heapUsed live objects, right after a collection
     * @param heapCommitted heap taken from the system, resident as far as it was used
     * @param resident VmRSS; -1 if the system doesn't say
     * @param anonymous RssAnon and RssShmem: the part that is not a mapped file; -1 if the system doesn't say
     */
    record Memory(long heapUsed, long heapCommitted, long resident, long anonymous) {

        /** Collects garbage, then looks. */
        static Memory now() {
            // Twice: what the first frees through cleaners is gone in the second.
            System.gc();
            System.gc();
            MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
            long anonymous = status("RssAnon:");
            long shared = status("RssShmem:");
            return new Memory(
                    heap.getUsed(),
                    heap.getCommitted(),
                    status("VmRSS:"),
                    anonymous < 0 ? -1 : anonymous + Math.max(0, shared));
        }

        private static long status(String field) {
            try {
                for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                    if (line.startsWith(field)) {
                        return Long.parseLong(line.substring(field.length())
                                        .replace("kB", "")
                                        .strip())
                                * 1024;
                    }
                }
            } catch (IOException e) {
                // Not Linux.
            }
            return -1;
        }
    }
}
