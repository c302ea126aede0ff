/** The options of `bench`, and what they mean. */

import { MAX_DELAY, MAX_INT32 } from "../../../internal/check.ts";
import type { OptionSpecs, ParsedOptions } from "../../shared/options.ts";
import { UsageError } from "../../shared/options.ts";

/** Own options of `bench`, besides `--count`. */
export const BENCH_OPTIONS: OptionSpecs = {
  size: { value: "BYTES", range: [0, 2 ** 30], group: "ping, bench", help: "of a message" },
  connections: { value: "N", range: [1, 100_000], group: "bench", help: "at a time; 1" },
  rate: { value: "N", group: "bench", help: "messages a second, over all connections" },
  duration: { value: "TIME", group: "bench", help: "such as 30s, 5m, 500ms; 10s" },
  ramp: { value: "TIME", group: "bench", help: "grows to the full load first" },
  chat: { group: "bench", help: "talks as the members of a chat do" },
  compare: { value: "FILE", group: "bench", help: "with an earlier --json result" },
};

/** The load that is wanted. */
export interface Load {
  readonly connections: number;
  /** Messages per second over all connections. Undefined: each awaits its answer, then sends the next. */
  readonly rate: number | undefined;
  /** For how long the load grows before anything is measured, in milliseconds. */
  readonly ramp: number;
  /** For how long it then lasts, in milliseconds. */
  readonly duration: number;
  /** How many messages there are at most. */
  readonly count: number;
  /** Bytes of a message. */
  readonly size: number;
  /** Whether the peer is a chat. */
  readonly chat: boolean;
  /** How long an answer may take, in milliseconds. */
  readonly timeout: number;
}

/** The options of which each asks for a load instead of the short measurement. */
const OF_LOADS = ["connections", "rate", "duration", "ramp"];
const DURATION = 10_000;
const UNITS: Readonly<Record<string, number>> = { "": 1, ms: 1, s: 1e3, m: 60e3, h: 3_600e3 };
const MAX_RATE = 10_000_000;

/**
 * The load that the options ask for. Undefined if they ask for none.
 *
 * @throws {UsageError} for a value that is none.
 */
export function loadOf(options: ParsedOptions): Load | undefined {
  const chat = options.on("chat");
  const isLoad = chat || OF_LOADS.some((name) => options.text(name) !== undefined);
  if (!isLoad) return undefined;
  const connections = options.number("connections") ?? 1;
  const count = options.number("count");
  return {
    connections,
    // A chat disconnects who says more than two things a second.
    rate: rateOf(options.text("rate")) ?? (chat ? connections : undefined),
    ramp: timeOf("ramp", options.text("ramp")) ?? 0,
    duration: timeOf("duration", options.text("duration")) ??
      (count === undefined ? DURATION : Infinity),
    count: count ?? MAX_INT32,
    size: options.number("size") ?? 32,
    chat,
    timeout: options.number("timeout") ?? 10_000,
  };
}

function rateOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rate = Number(text);
  if (/^\d*\.?\d+$/.test(text) && rate > 0 && rate <= MAX_RATE) return rate;
  throw new UsageError(
    `--rate ${text}: it must be messages per second, above 0 and up to ${MAX_RATE}`,
  );
}

/** A time in milliseconds. Without a unit it is in milliseconds already, as elsewhere. */
function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const time = Number(digits) * UNITS[unit ?? ""];
  if (time <= MAX_DELAY) return time;
  throw new UsageError(`--${name} ${text}: it must be a time, such as 30s, 5m or 500ms`);
}
