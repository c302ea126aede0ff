/** A peer that ends TLS without saying so: whether that can matter. */

import type { Connection } from "../../connection.ts";
import { ConnectionLostError } from "../../errors.ts";
import { CutError } from "../../transport/internal.ts";
import type { ParsedOptions } from "../shared/options.ts";
import type { Reporter } from "../shared/report.ts";

/** How a conversation ended, and what was heard before. */
export interface Ending {
  /** What broke it off. */
  readonly error: unknown;
  /** The messages that were heard. */
  readonly count: number;
  /** Their bytes, without what frames them. */
  readonly bytes: number;
}

/** Who needs to know. */
export interface FarewellContext {
  /** The command line's options, of which one may name the framing. */
  readonly options: ParsedOptions;
  /** Where the note goes. */
  readonly reporter: Reporter;
}

/**
 * Whether nothing is missing but TLS's farewell (close_notify), which many programs leave out. Where
 * each message says how long it is, and the last one is whole, the end of the stream means nothing
 * more. A note tells the user of it. With `line` and `none` the end may be the end of a message, so
 * whoever cuts the connection can cut that message.
 */
export function lacksOnlyFarewell(
  { options, reporter }: FarewellContext,
  connection: Connection,
  ending: Ending,
): boolean {
  const { error } = ending;
  if (!(error instanceof ConnectionLostError && error.cause instanceof CutError)) return false;
  if (!connection.endpoint.startsWith("tls:") || options.on("session")) return false;
  const framing = /[?&]framing=(\w+)/.exec(connection.endpoint)?.[1] ?? options.text("framing") ??
    "u32be";
  const width = prefixBytes(framing);
  if (width === undefined) return false;
  if (connection.stats.bytesReceived !== ending.bytes + ending.count * width) return false;
  const line = "note: the peer ended without saying so (close_notify), after a whole message";
  reporter.event({ event: "note", message: line }, line);
  return true;
}

/** How many bytes say how long a message is; undefined where that is not one number. */
function prefixBytes(framing: string): number | undefined {
  const bits = /^u(\d+)/.exec(framing)?.[1];
  return bits === undefined ? undefined : Number(bits) / 8;
}
