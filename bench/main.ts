/**
 * Lengthwise, the bare Deno loop and well-known npm libraries side by side, each in its own process
 * and its own runtime, in interleaved rounds on loopback.
 *
 * ```
 * deno task bench [--rounds N] [--only NAME]… [--minutes N] [--quick] [--json]
 * ```
 */

import { parseArgs } from "@std/cli/parse-args";
import { type Measure, measure, type Result, type Settings } from "./measure.ts";
import { browser } from "./measures/browser.ts";
import { codec } from "./measures/codec.ts";
import { echo } from "./measures/echo.ts";
import { fanOut } from "./measures/fan_out.ts";
import { files } from "./measures/files.ts";
import { hub } from "./measures/hub.ts";
import { idle } from "./measures/idle.ts";
import { oneWay } from "./measures/one_way.ts";
import { roads } from "./measures/roads.ts";
import { requests } from "./measures/requests.ts";
import { soak } from "./measures/soak.ts";
import { installPeers } from "./peers.ts";
import { median, NOTES, ratio, table, verdict } from "./table.ts";

const USAGE = `usage: deno task bench [--rounds N] [--only NAME]... [--minutes N] [--quick] [--json]

  --rounds N   rounds after the one that warms up (5)
  --only NAME  only what has NAME in its name; may be given several times
  --minutes N  how long --only soak watches a server, which nothing else runs (10)
  --quick      three short rounds and 1000 connections: for a look, not for figures
  --json       all values of all rounds, as JSON`;

const MEASURES: readonly Measure[] = [
  ...codec,
  ...echo,
  ...oneWay,
  ...fanOut,
  ...hub,
  ...idle,
  ...browser,
  ...roads,
  ...requests,
  ...files,
  ...soak,
];

interface Options {
  readonly only: readonly string[];
  readonly json: boolean;
  readonly settings: Omit<Settings, "peers">;
}

function readOptions(args: readonly string[]): Options {
  const options = parseArgs(args, {
    string: ["rounds", "only", "minutes"],
    boolean: ["quick", "json", "help"],
    collect: ["only"],
    unknown: (option) => fail(`Cannot use ${option}: it is unknown\n${USAGE}`, 2),
  });
  if (options.help) fail(USAGE, 0);
  const rounds = Number(options.rounds ?? (options.quick ? 3 : 5));
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
    fail(`Cannot use --rounds ${options.rounds}: it must be an integer from 1 to 100`, 2);
  }
  const minutes = Number(options.minutes ?? 10);
  if (!(minutes >= 0.1 && minutes <= 1440)) {
    fail(`Cannot use --minutes ${options.minutes}: it must be a number from 0.1 to 1440`, 2);
  }
  const soak = minutes * 60_000;
  return {
    only: options.only as string[],
    json: options.json,
    settings: options.quick
      ? { rounds, duration: 150, connections: 1000, soak }
      : { rounds, duration: 300, connections: 8000, soak },
  };
}

function fail(message: string, code: number): never {
  console.error(message);
  Deno.exit(code);
}

/** Everything of a result that is worth keeping. */
function toJson(result: Result) {
  const { row, values } = result;
  const subjects = Object.entries(values).map(([subject, measured]) => [
    subject,
    Array.isArray(measured)
      ? { median: median(measured), rounds: measured, ratio: ratio(result, subject as "raw") }
      : { missing: measured },
  ]);
  const goals = (row.goals ?? []).map((goal) => ({ ...goal, ...verdict(result, goal) }));
  return { ...row, goals, subjects: Object.fromEntries(subjects) };
}

const { only, json, settings } = readOptions(Deno.args);
const wanted = MEASURES.filter(({ rows, isLong }) =>
  only.length === 0 ? !isLong : rows.some(({ name }) => only.some((part) => name.includes(part)))
);
if (wanted.length === 0) {
  const names = MEASURES.flatMap(({ rows }) => rows.map(({ name }) => name));
  fail(`Cannot run --only ${only.join(" --only ")}: there is only\n  ${names.join("\n  ")}`, 2);
}
const peers = await installPeers();
const results: Result[] = [];
let failed = false;
for (const [i, one] of wanted.entries()) {
  console.error(`${i + 1}/${wanted.length} ${one.rows.map(({ name }) => name).join(", ")}`);
  try {
    results.push(...await measure(one, { ...settings, peers }));
  } catch (error) {
    console.error(`Cannot start: ${error}`);
    failed = true;
  }
}
const where = `Deno ${Deno.version.deno}, ${peers.node ?? "no Node"}, ` +
  `${navigator.hardwareConcurrency} cores, ${settings.rounds} rounds`;
console.log(
  json
    ? JSON.stringify({ where, results: results.map(toJson) }, null, 2)
    : `${table(results)}\n\n${NOTES}\n${where}`,
);
if (failed) Deno.exit(1);
