/** Short texts out of bytes. */

import { builtinOrNone } from "./builtin.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const buffers = builtinOrNone("node:buffer")?.Buffer;

/**
 * A text in a message.
 *
 * @throws {TypeError} if the text is not UTF-8.
 */
export const decodeText: (message: Uint8Array, start: number, end: number) => string =
  buffers === undefined
    ? (message, start, end) => strict.decode(message.subarray(start, end))
    : (message, start, end) => {
      // For short texts, this takes a third of TextDecoder's time. But it does not throw for wrong
      // UTF-8: it gives U+FFFD. Then TextDecoder decides.
      const at = message.byteOffset + start;
      const text = buffers.from(message.buffer, at, end - start).toString();
      return text.includes("\ufffd") ? strict.decode(message.subarray(start, end)) : text;
    };
