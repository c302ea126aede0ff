/** The framing of Python's multiprocessing. */

import { InvalidLengthError } from "../../errors.ts";
import { MAX_INT32 } from "../../internal/check.ts";
import type { Framing, FramingOptions } from "../framing.ts";
import { type Rule, ruled } from "./rule.ts";

/** The largest length of the short form. */
const MAX_SHORT = MAX_INT32;

const PYTHON: Rule = {
  name: "pythonConnection",
  minHeaderBytes: 4,
  maxHeaderBytes: 12,
  most: Number.MAX_SAFE_INTEGER,
  header({ length }) {
    const isShort = length <= MAX_SHORT;
    const header = new Uint8Array(isShort ? 4 : 12);
    const view = new DataView(header.buffer);
    if (isShort) view.setInt32(0, length);
    else {
      view.setInt32(0, -1);
      view.setBigUint64(4, BigInt(length));
    }
    return header;
  },
  measure(chunk, at, end, size) {
    if (end - at < 4) return false;
    const view = new DataView(chunk.buffer, chunk.byteOffset + at);
    let length = view.getInt32(0);
    size.skip = 4;
    if (length === -1) {
      if (end - at < 12) return false;
      size.skip = 12;
      length = Number(view.getBigUint64(4));
    } else if (length < 0) {
      throw new InvalidLengthError(`Cannot receive message: length ${length} is negative`);
    }
    size.total = size.skip + length;
    return true;
  },
};

/**
 * Python's `multiprocessing.connection`, `Listener` and `Client`, with `send_bytes` and `recv_bytes`: a
 * signed length of 4 bytes, big-endian, that does not count itself. Above 2 147 483 647 bytes it is -1,
 * and the length follows in 8 bytes. Both forms are accepted for every length, as Python does.
 *
 * Python has no limit but the `maxlength` of `recv_bytes`, above which it throws `OSError: bad message
 * length` and closes. The limit here is 16 MiB. `send` and `recv` put pickles into the same frames.
 */
export function pythonConnection(options: FramingOptions = {}): Framing {
  return ruled(PYTHON, options);
}
