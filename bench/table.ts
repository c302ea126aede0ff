/** The table: medians, ratios, and whether the goals are reached. */

import type { Goal, Result, Row } from "./measure.ts";
import { type Subject, SUBJECTS } from "./programs.ts";

/** What was reached of a goal: a ratio or a value. */
export interface Verdict {
  readonly reached: number;
  readonly verdict: "met" | "missed";
}

/** What the table does not say by itself. */
export const NOTES = `ratio: Lengthwise divided by the column before; all values are medians
goals: what was reached stands behind "met" or "missed"
pump, framed loop: read and write in a bare loop; with the framing written into it by hand
C epoll: the fan-out in C, frames found, without limits, time-outs and queues
to 100: the same hub with 100 members; all deliveries count
node:net, net cork: framing by hand, replies gathered in blocks; replies gathered by cork()
lp-stream, it-lp: length-prefixed-stream, it-length-prefixed; each peer runs in Node
in, out: the server receives from, or sends to, one load that is the same for all; other one-way
rows, files and "own client" have the column at both ends
file: pump does all that a transfer does in a bare loop; plain is messages of 1 MiB without files`;

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

/** Whether a goal is reached; undefined where nothing was measured to tell. */
export function verdict(result: Result, goal: Goal): Verdict | undefined {
  const { least = false } = result.row;
  const reached = "value" in goal ? own(result) : worst(result, goal.against);
  if (reached === undefined) return undefined;
  const wanted = "value" in goal ? goal.value : goal.ratio;
  return { reached, verdict: (least ? reached <= wanted : reached >= wanted) ? "met" : "missed" };
}

function own({ values: { lengthwise } }: Result): number | undefined {
  return Array.isArray(lengthwise) ? median(lengthwise) : undefined;
}

/** The ratio to the best of several. */
function worst(result: Result, against: readonly Subject[]): number | undefined {
  const ratios = against.map((subject) => ratio(result, subject))
    .filter((value) => value !== undefined);
  if (ratios.length < against.length) return undefined;
  return result.row.least ? Math.max(...ratios) : Math.min(...ratios);
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
  const { unit, least } = result.row;
  const show = (value: number) =>
    "value" in goal ? withUnit(value, unit) : value.toPrecision(value < 1 ? 2 : 3);
  const against = "value" in goal
    ? ""
    : `${goal.against.length > 1 ? "best" : SUBJECTS[goal.against[0]]} `;
  const wanted = "value" in goal ? show(goal.value) : goal.ratio;
  const found = verdict(result, goal);
  const shown = found === undefined ? "unknown" : `${found.verdict} ${show(found.reached)}`;
  return `${against}${least ? "<=" : ">="} ${wanted}: ${shown}`;
}

function withUnit(value: number, unit: Row["unit"]): string {
  if (unit === "times") return value.toPrecision(3);
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
