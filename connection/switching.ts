/** Which framings a connection can be switched to. */

import type { Framing, FramingText } from "../codec.ts";
import type { Transport } from "../transport.ts";

/** Which way a framing is switched. */
export interface SwitchOptions {
  /**
   * `in` for what is received, `out` for what is sent.
   *
   * @default "both"
   */
  direction?: "both" | "in" | "out";
}

/**
 * Checks that the framing of a connection can be switched.
 *
 * @throws {TypeError} if it cannot.
 */
export function checkSwitch(
  transport: Transport,
  old: Framing,
  next: Framing | FramingText,
  direction: string,
): void {
  if (!["both", "in", "out"].includes(direction)) {
    throw new TypeError(
      `Cannot use direction "${direction}": it must be "both", "in" or "out"`,
    );
  }
  const own = transport.abilities.framing;
  if (own !== undefined) {
    throw new TypeError(
      `Cannot switch framing of ${transport.remote}: its transport has a framing of its own, ${own.name}`,
    );
  }
  for (const framing of [old, next]) {
    if (typeof framing === "string") continue;
    if (framing.isApart || framing.encodeEnd !== undefined || framing.encodePing !== undefined) {
      throw new TypeError(
        `Cannot switch framing between ${old.name} and ${
          nameOf(next)
        }: ${framing.name} has frames ` +
          `that are not messages`,
      );
    }
  }
}

function nameOf(framing: Framing | FramingText): string {
  return typeof framing === "string" ? framing : framing.name;
}
