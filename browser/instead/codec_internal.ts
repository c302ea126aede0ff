/** What the other layers use of codec/ in a page. */

import type { Framing } from "../../codec/framing.ts";

export { checkLimit, DEFAULT_MAX_MESSAGE_BYTES, EMPTY } from "../../codec/framing.ts";
export { whole } from "../../codec/whole.ts";

/** The framing of what is sent: a page has none that differs by direction. */
export function outOf(framing: Framing): Framing {
  return framing;
}
