/** The metrics of the process, under the names that they have in every program. */

import { builtin } from "../internal/runtime/builtin.ts";
import type { Family } from "./family.ts";

/** When the process started, in seconds since 1970. */
const startedAt = performance.timeOrigin / 1000;

/** Memory and age of this process. This needs no permission. */
export function familiesOfProcess(): Family[] {
  const { rss, heapUsed } = builtin("node:process").memoryUsage();
  const gauge = (name: string, help: string, value: number): Family => ({
    name,
    type: "gauge",
    help,
    unit: name.endsWith("_bytes") ? "bytes" : "seconds",
    samples: [{ value }],
  });
  return [
    gauge("process_resident_memory_bytes", "Memory of the process.", rss),
    gauge("process_heap_bytes", "Memory of JavaScript's objects.", heapUsed),
    gauge(
      "process_start_time_seconds",
      "When the process started, in seconds since 1970.",
      startedAt,
    ),
  ];
}
