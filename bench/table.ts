/** The table: medians, ratios, and whether the goals are reached. */

import type { Goal, Result, Row } from "./measure.ts";
import { type Subject, SUBJECTS } from "./programs.ts";

/** How a goal was done. Near: within a tenth. */
export type Verdict = "met" | "near" | "MISSED" | "unknown";

/** What the table does not say by itself. */
export const NOTES = `ratio: Lengthwise divided by the column before; all values are medians
raw Deno, raw framed: read and write in a loop; with the framing written into the loop by hand
node:net, net cork: framing by hand, replies gathered in blocks; replies gathered by cork()
lp-stream, it-lp: length-prefixed-stream, it-length-prefixed; each peer runs in Node
in, out: the server receives from, or sends to, one load that is the same for all; other one-way
rows, files and "own client" have the column at both ends
file: raw does all that a transfer does in a bare loop; plain is messages of 1 MiB without files`;

/** The value in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Lengthwise's value divided by another's: the median of the rounds' own ratios. */
export function ratio({ values }: Result, subject: Subject): number | undefined {
  const [ours, theirs] = [values.lengthwise, values[subject]];
  if (!Array.isArray(ours) || !Array.isArray(theirs)) return undefined;
  return median(ours.map((value, round) => value / theirs[round]));
}

/** Whether a goal is reached. */
export function verdict(result: Result, goal: Goal): Verdict {
  const ratios = goal.against.map((subject) => ratio(result, subject))
    .filter((value) => value !== undefined);
  if (ratios.length < goal.against.length) return "unknown";
  const { least = false } = result.row;
  const done = least ? goal.ratio / Math.max(...ratios) : Math.min(...ratios) / goal.ratio;
  return done >= 1 ? "met" : done >= 0.9 ? "near" : "MISSED";
}

/** All results, a line each. Columns that nothing was measured for are left out. */
export function table(results: readonly Result[]): string {
  const subjects = (Object.keys(SUBJECTS) as Subject[]).filter((subject) =>
    results.some(({ values }) => values[subject] !== undefined)
  );
  const peers = subjects.filter((subject) => subject !== "lengthwise");
  const lines = [[
    "",
    SUBJECTS.lengthwise,
    ...peers.flatMap((subject) => [SUBJECTS[subject], "ratio"]),
    "goals",
  ]];
  for (const result of results) {
    lines.push([
      result.row.name,
      shown(result, "lengthwise"),
      ...peers.flatMap((subject) => [shown(result, subject), shownRatio(result, subject)]),
      (result.row.goals ?? []).map((goal) => shownGoal(result, goal)).join(", "),
    ]);
  }
  return aligned(lines);
}

function shown({ row, values }: Result, subject: Subject): string {
  const measured = values[subject];
  if (measured === undefined) return "";
  return typeof measured === "string" ? measured : withUnit(median(measured), row.unit);
}

function shownRatio(result: Result, subject: Subject): string {
  const value = ratio(result, subject);
  return value === undefined ? "" : `${value.toPrecision(value < 1 ? 2 : 3)}x`;
}

function shownGoal(result: Result, goal: Goal): string {
  const sign = result.row.least ? "<=" : ">=";
  const against = goal.against.length > 1 ? "best" : SUBJECTS[goal.against[0]];
  return `${against} ${sign}${goal.ratio} ${verdict(result, goal)}`;
}

function withUnit(value: number, unit: Row["unit"]): string {
  if (unit === "us") return `${value.toFixed(1)} us`;
  const [scaled, prefix] = value >= 1e9
    ? [value / 1e9, "G"]
    : value >= 1e6
    ? [value / 1e6, "M"]
    : value >= 1e3
    ? [value / 1e3, "k"]
    : [value, " "];
  return `${scaled.toPrecision(3)} ${prefix}${unit.replace("msg/s", "/s").replace("conn/s", "/s")}`;
}

/** First and last column to the left, the others to the right. */
function aligned(lines: readonly string[][]): string {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines.map((line) =>
    line.map((cell, column) =>
      column === 0 || column === line.length - 1
        ? cell.padEnd(widths[column])
        : cell.padStart(widths[column])
    ).join("  ").trimEnd()
  ).join("\n");
}
