/** The counts of several workers as those of one server. */

import type { ServerStats } from "../../../listen/listen.ts";

/** What is so now, and nothing more when a worker has ended. */
const NOW = { open: 0, bufferedBytes: 0, unreadBytes: 0, unreadMessages: 0 };

/** The sum of some counts. At least one. */
export function sumOf(counts: readonly ServerStats[]): ServerStats {
  return counts.reduce((one, other) => added(one, other));
}

/** What remains of the counts of a worker that has ended. */
export function past(stats: ServerStats): ServerStats {
  return { ...stats, ...NOW };
}

/** Adds each number to the one at the same place. The bounds of histograms are the same everywhere. */
function added<V>(one: V, other: V, name = ""): V {
  if (name === "bounds") return one;
  if (typeof one === "number") return one + (other as number) as V;
  const entries = Object.entries(one as Record<string, unknown>).map(([name, value]) =>
    [name, added(value, (other as Record<string, unknown>)[name], name)] as const
  );
  return (Array.isArray(one)
    ? entries.map(([, value]) => value)
    : Object.fromEntries(entries)) as V;
}
