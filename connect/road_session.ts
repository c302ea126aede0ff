/** Whether a road has sessions, and with which settings. */

import type { Framing, FramingText } from "../codec.ts";
import type { ConnectionLimits } from "../connection.ts";
import type { ConnectionSettings } from "../connection/internal.ts";
import type { SessionOptions } from "../session.ts";
import { carrierSettings, resolveSessionOptions } from "../session/internal.ts";
import { type Endpoint, hasSessions } from "../transport.ts";

/** The options of the sessions of a road, and the settings of their carriers. */
export interface RoadSession {
  readonly options: SessionOptions;
  readonly carrier: ConnectionSettings<Uint8Array>;
}

/**
 * The sessions that an endpoint or an option asks for; undefined if none does.
 *
 * @throws {TypeError} where there are none.
 */
export function sessionFor(
  endpoint: string,
  wanted: Endpoint,
  framing: FramingText | Framing | undefined,
  options: ConnectionLimits & { readonly session?: boolean | SessionOptions },
): RoadSession | undefined {
  const { session } = options;
  const isSession = (hasSessions(wanted) ? wanted.session : undefined) ?? Boolean(session);
  if (!isSession) return undefined;
  if (!hasSessions(wanted)) {
    throw new TypeError(`Cannot use session together with "${endpoint}": UDP has no connections`);
  }
  return {
    options: resolveSessionOptions(typeof session === "object" ? session : {}),
    carrier: carrierSettings(framing, options),
  };
}
