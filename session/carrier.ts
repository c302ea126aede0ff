/** The settings of carriers. */

import type { Framing, FramingText } from "../codec.ts";
import type { ConnectionLimits } from "../connection.ts";
import { type ConnectionSettings, resolveSettings } from "../connection/internal.ts";
import { BLOCK_BYTES } from "../internal/memory.ts";
import { LONGEST_SENT_BYTES } from "./blocks.ts";
import { MAX_FRAME_BYTES } from "./wire.ts";

const LONGEST_FRAME = new Uint8Array(LONGEST_SENT_BYTES);

/**
 * Settings of carriers with a framing. The limits of messages are not here; the session has its
 * own.
 *
 * @throws {TypeError} for a framing that cannot carry session frames.
 */
export function carrierSettings(
  framing: FramingText | Framing | undefined,
  { writeTimeout, frameTimeout, closeTimeout }: ConnectionLimits,
): ConnectionSettings<Uint8Array> {
  const settings = resolveSettings<Uint8Array>({
    framing,
    writeTimeout,
    frameTimeout,
    closeTimeout,
    maxMessageBytes: MAX_FRAME_BYTES,
    highWaterMark: LONGEST_SENT_BYTES, // A full frame leaves at once.
  });
  checkCarrier(settings);
  return settings;
}

/**
 * Checks that a framing can carry every frame of a session, together with its header in one block.
 * The session leaves no space for a larger header before its memory.
 *
 * @throws {TypeError} if it does not.
 */
export function checkCarrier({ framing }: { readonly framing: Framing }): void {
  if (framing.after !== undefined) {
    throw new TypeError(`Cannot use framing ${framing.name} for a session: it changes`);
  }
  let fits = framing.keepsBoundaries && !framing.isSelective;
  try {
    fits &&= framing.frameBytes(LONGEST_FRAME) <= BLOCK_BYTES;
  } catch {
    fits = false;
  }
  if (!fits) {
    throw new TypeError(
      `Cannot use framing ${framing.name} for a session: it must carry any ${LONGEST_SENT_BYTES} ` +
        `bytes behind a header of at most ${BLOCK_BYTES - LONGEST_SENT_BYTES} bytes`,
    );
  }
}
