/** The connections that carry a session of a page: they have the framing that they need. */

import type { ConnectionLimits } from "../../connection.ts";
import { type ConnectionSettings, resolveSettings } from "../../connection/internal.ts";
import { MAX_FRAME_BYTES } from "../../session/wire.ts";
import { LONGEST_SENT_BYTES } from "./blocks.ts";

/** The settings of carriers. */
export function carrierSettings(
  _framing: undefined,
  { writeTimeout, frameTimeout, closeTimeout }: ConnectionLimits,
): ConnectionSettings<Uint8Array> {
  return resolveSettings({
    writeTimeout,
    frameTimeout,
    closeTimeout,
    maxMessageBytes: MAX_FRAME_BYTES,
    highWaterMark: LONGEST_SENT_BYTES,
  });
}

/** Every carrier fits. */
export function checkCarrier(): void {}
