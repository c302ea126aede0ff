/** Framing of JSON values that stand one behind the other. */

import { DEFAULT_MAX_MESSAGE_BYTES, type Framing, type FramingOptions } from "./framing.ts";
import { JsonScanner } from "./json_scanner.ts";
import { canonical } from "./names.ts";
import {
  checkDepth,
  DEFAULT_MAX_DEPTH,
  enclosed,
  givenDepth,
  type Scanned,
  scanned,
} from "./scanned.ts";

/** Options of the framings whose messages have parts that lie in one another. */
export interface NestedOptions extends FramingOptions {
  /**
   * How many levels deep the parts of a message may lie in one another, 1 to 1 000 000. While a message
   * is not whole, a decoder needs up to 16 bytes for each level that is open.
   *
   * @default 512
   */
  maxDepth?: number;
}

/**
 * Frames messages as JSON values (RFC 8259) that stand one behind the other: objects, arrays, strings,
 * numbers, `true`, `false` and `null`. Nothing need stand between two values; there may be white space,
 * and behind a number there must be something that ends it. So it also reads JSON Lines and pretty
 * printed JSON. Each value is sent with a newline behind it.
 *
 * A message is exactly one value, without white space around it. Sending anything else is refused.
 * Strings are not checked for UTF-8.
 *
 * @throws {RangeError} for a limit out of range.
 *
 * @example Values with and without something between them
 * ```ts
 * import { jsonStream } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = jsonStream().decoder();
 * const values = decoder.decode(new TextEncoder().encode('{"a":\n1}[2] "three"4'));
 * const texts = values.map((value) => new TextDecoder().decode(value));
 * assertEquals(texts, ['{"a":\n1}', "[2]", '"three"']); // the number may go on
 * assertEquals(decoder.end(), [new Uint8Array([0x34])]);
 * ```
 */
export function jsonStream(options: NestedOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES, maxDepth = DEFAULT_MAX_DEPTH } = options;
  checkDepth(maxDepth);
  const scanner: Scanned["scanner"] = (limit, verb) => new JsonScanner(limit, verb, maxDepth);
  return scanned({
    name: canonical("jsonStream", { maxDepth: givenDepth(maxDepth) }),
    maxMessageBytes,
    scanner,
    encoding: enclosed(scanner, "one JSON value", { after: [0x0a] }),
  });
}
