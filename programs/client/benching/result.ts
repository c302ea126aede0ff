/** What a load has shown, for people and for programs. */

import { format as formatBytes } from "@std/fmt/bytes";
import { withoutPassword } from "../../../internal/address.ts";
import { messageOf } from "../../shared/report.ts";
import type { ClientContext } from "../context.ts";
import type { LoadRun } from "./load.ts";

/** The percentiles that are told, with their names in a result. */
export const PERCENTILES = {
  p50: 50,
  p75: 75,
  p90: 90,
  p99: 99,
  p999: 99.9,
  p9999: 99.99,
  max: 100,
} as const;

/** How many reasons are told apart. */
const MAX_REASONS = 10;

/** What `--json` prints. Latencies are milliseconds, to three digits. */
export interface Result {
  readonly event: "bench";
  /** When it began, in the form of RFC 3339. */
  readonly time: string;
  readonly endpoint: string;
  readonly chat?: true;
  readonly connections: number;
  /** Messages per second that were wanted. Missing where each connection awaits its answers. */
  readonly wanted?: number;
  /** Bytes of a message. Missing in a chat. */
  readonly size?: number;
  /** How many messages were answered. */
  readonly count: number;
  readonly sent: number;
  /** Messages that were sent and not answered, or not yet when the user ended it. */
  readonly lost: number;
  /** Messages that were due, but that the peer did not take in time. */
  readonly unsent: number;
  readonly seconds: number;
  /** Messages per second that were answered. */
  readonly rate: number;
  /** The latest that a message was sent after it was due, in milliseconds. */
  readonly late: number;
  readonly mean: number;
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly p9999: number;
  readonly max: number;
  /** How many connections could not be made or have ended early. */
  readonly failed: number;
  /** Why, and how many for each reason. */
  readonly errors: readonly { readonly error: string; readonly connections: number }[];
  /** True if the user has ended it. */
  readonly stopped?: true;
  /** The histogram as HdrHistogram's tools read it (V2, compressed, Base64), in microseconds. */
  readonly histogram: string;
}

/** The result of a run that has ended. */
export function resultOf(run: LoadRun, { endpoint, stopped }: ClientContext, time: Date): Result {
  const { load, histogram, seconds, answers, sent, failures } = run;
  const [p50, p75, p90, p99, p999, p9999, max] = Object.values(PERCENTILES)
    .map((percentile) => histogram.at(percentile));
  return {
    event: "bench",
    time: time.toISOString(),
    endpoint: withoutPassword(endpoint),
    ...(load.chat ? { chat: true } : {}),
    connections: load.connections,
    ...(load.rate === undefined ? {} : { wanted: load.rate }),
    ...(load.chat ? {} : { size: load.size }),
    count: answers,
    sent,
    lost: sent - answers,
    unsent: run.unsent,
    seconds,
    rate: answers / seconds,
    late: rounded(run.latest),
    mean: rounded(histogram.mean),
    ...{ p50, p75, p90, p99, p999, p9999, max },
    failed: failures.length,
    errors: countedErrors(failures),
    ...(stopped.aborted ? { stopped: true } : {}),
    histogram: histogram.encoded(),
  };
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000;
}

/** How many there are for each reason. */
function countedErrors(failures: readonly unknown[]): Result["errors"] {
  const counts = new Map<string, number>();
  for (const failure of failures) {
    const reason = messageOf(failure);
    const key = counts.has(reason) || counts.size < MAX_REASONS ? reason : "other reasons";
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Array.from(counts, ([error, connections]) => ({ error, connections }));
}

/** The result in lines for people. */
export function textOf(result: Result, bytesReceived: number): string {
  const { connections, wanted, size, seconds, sent, count, lost, unsent, rate, late, stopped } =
    result;
  const over = connections === 1 ? "one connection" : `${connections} connections`;
  const what = size === undefined ? "lines of chat" : `messages of ${size} bytes`;
  const how = wanted === undefined
    ? "each sent when the last one was answered"
    : `${wanted} messages/s wanted`;
  const left = unsent === 0 ? "" : `, ${unsent} were due and not taken`;
  const flow = size === undefined
    ? `${formatBytes(bytesReceived / seconds)}/s received`
    : `${formatBytes(rate * size)}/s each way`;
  const names = ["mean", "50 %", "75 %", "90 %", "99 %", "99.9 %", "99.99 %", "max"];
  const values = [result.mean, ...Object.keys(PERCENTILES).map((key) => result[key as "p50"])];
  const columns = values.map((value, i) => {
    const text = value.toFixed(3);
    const width = Math.max(text.length, names[i].length);
    return [names[i].padStart(width), text.padStart(width)];
  });
  return `${what} over ${over}, ${how}
${sent} sent, ${count} answered, ${lost} ${stopped ? "under way" : "lost"}${left} in ${
    seconds.toFixed(3)
  } s: ${roundedRate(rate)} messages/s, ${flow}
latency in ms, from when a message was ${wanted === undefined ? "sent" : "due"}:
  ${columns.map(([name]) => name).join("  ")}
  ${columns.map(([_, value]) => value).join("  ")}
${wanted === undefined ? "" : `this end was late by ${late.toFixed(3)} ms at most\n`}`;
}

/** A rate with as many digits as say something. */
export function roundedRate(rate: number): string {
  return rate < 100 ? rate.toFixed(1) : String(Math.round(rate));
}
