/** Framing of JSON values that stand one behind the other. */

import type { Framing } from "./framing.ts";
import { JsonScanner } from "./json_scanner.ts";
import { nested, type NestedOptions } from "./scanned.ts";

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
  return nested(options, {
    kind: "jsonStream",
    what: "one JSON value",
    after: [0x0a],
    scanner: (limit, verb, maxDepth) => new JsonScanner(limit, verb, maxDepth),
  });
}
