/** Sessions in the script that has none. */

import type { SessionOptions } from "../../session.ts";
import type { WebSocketEndpoint } from "../../transport.ts";

/** Refuses a session. */
export function sessionFor(
  endpoint: string,
  wanted: WebSocketEndpoint,
  _framing: undefined,
  options: { readonly session?: boolean | SessionOptions },
): undefined {
  if (wanted.session ?? options.session) {
    throw new TypeError(`Cannot open session to "${endpoint}": /lengthwise.js has sessions`);
  }
}

/** Never called. */
export function openRoad(): undefined {}

/** There is nothing to leave. */
export function leaveWhenDrained(): void {}
