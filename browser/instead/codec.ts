/** Framings in a page: that of its WebSockets, and the one that sessions put messages together with. */

import type { FramingText } from "../../codec.ts";
import type { Framing, FramingOptions } from "../../codec/framing.ts";
import { u32be } from "./u32be.ts";

export { Batch } from "./batch.ts";

/** The framing that a text says, if a page has it. */
export function framing(text: FramingText, { maxMessageBytes }: FramingOptions = {}): Framing {
  if (text === "u32be") return u32be(maxMessageBytes);
  throw new TypeError(`Cannot use framing "${text}" in a page: a WebSocket message is a message`);
}
