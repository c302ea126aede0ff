/** Two results side by side, with the changes in percent. */

import { readBytes } from "../../shared/given.ts";
import { UsageError } from "../../shared/options.ts";
import type { ToolContext } from "../context.ts";

/** What is compared, how it is called, and the decimals that say something. */
const FIGURES = [
  ["rate", "messages/s", 0],
  ["mean", "mean, ms", 3],
  ["p50", "50 %, ms", 3],
  ["p75", "75 %, ms", 3],
  ["p90", "90 %, ms", 3],
  ["p99", "99 %, ms", 3],
  ["p999", "99.9 %, ms", 3],
  ["p9999", "99.99 %, ms", 3],
  ["max", "max, ms", 3],
  ["lost", "lost", 0],
  ["failed", "failed connections", 0],
] as const;
/** A file that is larger has no results, in bytes. */
const MAX_BYTES = 64 * 1024 * 1024;
/** What both must have in common to be comparable. */
const CONDITIONS = ["connections", "wanted", "size", "chat"] as const;

/** A result as it stands in a file, or as it was just made. */
export type Figures = Readonly<Record<string, unknown>>;

/**
 * Reads what `bench --json` has printed; of several results, the last.
 *
 * @throws {Error} if the file cannot be read.
 * @throws {UsageError} if there is no result in it.
 */
export async function readResult(file: string): Promise<Figures> {
  const bytes = await readBytes(`--compare ${file}`, file, MAX_BYTES);
  const text = new TextDecoder().decode(bytes);
  const results = text.split("\n").map(figuresIn).filter((result) => result !== undefined);
  const last = results.at(-1);
  if (last === undefined) {
    throw new UsageError(`${file} has no result: save one with bench --json > FILE`);
  }
  return last;
}

function figuresIn(line: string): Figures | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value = JSON.parse(line) as Figures;
    return value.event === "bench" && typeof value.rate === "number" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Prints how the second result differs from the first. */
export function tellChanges(
  before: Figures,
  after: Figures,
  { options, reporter, host }: ToolContext,
): void {
  const rows = FIGURES.flatMap(([key, name, decimals]) => {
    const [a, b] = [before[key], after[key]];
    if (typeof a !== "number" || typeof b !== "number") return [];
    const change = a === b ? 0 : a === 0 ? undefined : (b - a) / a * 100;
    return [{ key, name, decimals, a, b, change }];
  });
  const differences = CONDITIONS.filter((key) => before[key] !== after[key]);
  if (options.on("json")) {
    const figures = rows.map(({ key, a, b, change }) => [key, { before: a, after: b, change }]);
    reporter.event({ event: "compare", ...Object.fromEntries(figures), differences });
    return;
  }
  const table = [
    ["", "before", "after", "change"],
    ...rows.map(({ name, decimals, a, b, change }) => [
      name,
      a.toFixed(decimals),
      b.toFixed(decimals),
      change === undefined ? "" : `${change > 0 ? "+" : ""}${change.toFixed(1)} %`,
    ]),
  ];
  const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
  for (const [name, ...cells] of table) {
    const padded = cells.map((cell, i) => cell.padStart(widths[i + 1]));
    host.stdout.write(`${[name.padEnd(widths[0]), ...padded].join("  ").trimEnd()}\n`);
  }
  for (const key of differences) {
    const shown = [before[key], after[key]].map((value) => value ?? "none").join(" and ");
    host.stdout.write(`not the same load: ${key} is ${shown}\n`);
  }
}
