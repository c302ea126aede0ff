/** CORBA's framing. */

import { InvalidMessageError } from "../../errors.ts";
import type { Framing, FramingOptions } from "../framing.ts";
import { ruled, selfSized } from "./rule.ts";

const MAGIC = 0x47_49_4f_50;

const GIOP = /* @__PURE__ */ selfSized("giop", 12, (chunk, at) => {
  const view = new DataView(chunk.buffer, chunk.byteOffset + at);
  if (view.getUint32(0) !== MAGIC) {
    throw new InvalidMessageError('Cannot use message: CORBA begins it with "GIOP"');
  }
  const isLittle = (chunk[at + 6] & 1) === 1;
  return 12 + view.getUint32(8, isLittle);
});

/** CORBA's GIOP messages: `GIOP`, version, flags, type, and a length in the byte order of the flags. */
export function giop(options: FramingOptions = {}): Framing {
  return ruled(GIOP, options);
}
