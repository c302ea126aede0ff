/** Minecraft's framing: a varint of three bytes at most. */

import { InvalidLengthError } from "../../errors.ts";
import { readVarint, varintBytes, varintEnd, writeVarint } from "../../internal/varint.ts";
import type { Framing, FramingOptions } from "../framing.ts";
import { type Rule, ruled } from "./rule.ts";

const MAX_VARINT_BYTES = 3;

const MINECRAFT: Rule = {
  name: "minecraft",
  minHeaderBytes: 1,
  maxHeaderBytes: MAX_VARINT_BYTES,
  most: 2 ** 21 - 1,
  header(message) {
    const header = new Uint8Array(varintBytes(message.length));
    writeVarint(message.length, header, 0);
    return header;
  },
  measure(chunk, at, end, size) {
    const last = Math.min(end, at + MAX_VARINT_BYTES);
    const start = varintEnd(chunk, at, last);
    if (start < 0) {
      if (last - at < MAX_VARINT_BYTES) return false;
      throw new InvalidLengthError(
        `Cannot receive message: its varint is longer than ${MAX_VARINT_BYTES} bytes`,
      );
    }
    size.skip = start - at;
    size.total = size.skip + readVarint(chunk, at, start);
    return true;
  },
};

/**
 * The packets of Minecraft's Java Edition, before compression and encryption: a varint of 1 to 3 bytes
 * that counts what follows. The limit is what 3 bytes can say, 2 097 151 bytes.
 */
export function minecraft(options: FramingOptions = {}): Framing {
  return ruled(MINECRAFT, options);
}
