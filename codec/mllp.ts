/** Framing by MLLP, which carries HL7. */

import { InvalidMessageError } from "../errors.ts";
import type { Memory } from "../internal/memory.ts";
import { BaseFraming } from "./base.ts";
import { EndDecoder, type EndLayout } from "./end_decoder.ts";
import {
  checkLimit,
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  type Framing,
  type FramingOptions,
} from "./framing.ts";

const VT = 0x0b;
const FS = 0x1c;
const CR = 0x0d;
const LF = 0x0a;

const LAYOUT: EndLayout = {
  name: "mllp",
  start: VT,
  fillers: [CR, LF],
  ends: [/* @__PURE__ */ new Uint8Array([FS, CR])],
};

/**
 * Frames messages by HL7's Minimal Lower Layer Protocol: a byte 0x0B before the message, and 0x1C 0x0D
 * behind it (HL7 v2.x, appendix C). Carriage returns and newlines between frames are dropped, because
 * some programs send them. A message that contains 0x1C 0x0D is not sent.
 *
 * @throws {RangeError} for a limit out of range.
 *
 * @example One message
 * ```ts
 * import { mllp } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const frame = mllp().encode(new Uint8Array([77, 83, 72]));
 * assertEquals(frame, new Uint8Array([0x0b, 77, 83, 72, 0x1c, 0x0d]));
 * ```
 */
export function mllp(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  return new MllpFraming(checkLimit(maxMessageBytes));
}

class MllpFraming extends BaseFraming {
  readonly name = "mllp";
  readonly isSelective = true;

  constructor(readonly maxMessageBytes: number) {
    super();
  }

  withLimit(maxMessageBytes: number): Framing {
    return new MllpFraming(checkLimit(maxMessageBytes));
  }

  decoder(memory?: Memory): Decoder {
    return new EndDecoder(LAYOUT, this.maxMessageBytes, memory);
  }

  frameBytes(message: Uint8Array): number {
    for (let at = message.indexOf(FS); at >= 0; at = message.indexOf(FS, at + 1)) {
      if (message[at + 1] !== CR) continue;
      throw new InvalidMessageError(
        `Cannot send message: it has 1c0d at byte ${at}, which ends a message of framing mllp`,
      );
    }
    return message.length + 3;
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    const end = at + 1 + message.length;
    target[at] = VT;
    target.set(message, at + 1);
    target[end] = FS;
    target[end + 1] = CR;
    return end + 2;
  }

  override encodeParts(message: Uint8Array): Uint8Array[] {
    this.frameBytes(message);
    return [Uint8Array.of(VT), message, Uint8Array.of(FS, CR)];
  }
}
