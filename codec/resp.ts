/** Framing of Redis' protocol, versions 2 and 3. */

import type { Framing } from "./framing.ts";
import { RespScanner } from "./resp_scanner.ts";
import { nested, type NestedOptions } from "./scanned.ts";

/** Options of {@linkcode resp2} and {@linkcode resp3}. */
export interface RespOptions extends NestedOptions {
  /**
   * Whether a message may be an inline command, as Redis' server takes it from telnet: a line of up to 64
   * KiB that begins with no character of a type. It ends at LF or CRLF, which are part of the message.
   * Empty lines are dropped. Turn it on for servers only: a client would take anything for a reply.
   *
   * @default false
   */
  inline?: boolean;
}

/**
 * Frames messages as values of Redis' protocol, version 2 (RESP2): simple strings, errors, integers, bulk
 * strings and arrays. A message is a whole command or a whole reply with all that lies in it, byte by
 * byte as it is on the wire.
 *
 * Lengths are decimal, without signs, leading zeros and spaces; -1 is null. What a simple string or an
 * integer says is not looked at. A message that is not exactly one value cannot be sent.
 *
 * @throws {RangeError} for a limit out of range.
 *
 * @example Two replies
 * ```ts
 * import { resp2 } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const replies = resp2().decoder().decode(new TextEncoder().encode("+PONG\r\n*1\r\n$2\r\nhi\r\n"));
 * const texts = replies.map((reply) => new TextDecoder().decode(reply));
 * assertEquals(texts, ["+PONG\r\n", "*1\r\n$2\r\nhi\r\n"]);
 * ```
 */
export function resp2(options: RespOptions = {}): Framing {
  return resp(2, options);
}

/**
 * Frames messages as values of Redis' protocol, version 3 (RESP3). It has all types of
 * {@linkcode resp2}, and null, booleans, doubles, big numbers, blob errors, verbatim strings, maps,
 * sets, attributes and pushes, and strings, arrays, sets and maps that are streamed without a length.
 *
 * A push is a message of its own, and lies in no other value. The attributes before a value are part of
 * its message. A streamed value is whole with its end.
 *
 * @throws {RangeError} for a limit out of range.
 *
 * @example A push before a reply with attributes
 * ```ts
 * import { resp3 } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const chunk = new TextEncoder().encode(">1\r\n+message\r\n|1\r\n+ttl\r\n:3600\r\n#t\r\n");
 * const messages = resp3().decoder().decode(chunk);
 * const texts = messages.map((message) => new TextDecoder().decode(message));
 * assertEquals(texts, [">1\r\n+message\r\n", "|1\r\n+ttl\r\n:3600\r\n#t\r\n"]);
 * ```
 */
export function resp3(options: RespOptions = {}): Framing {
  return resp(3, options);
}

function resp(version: 2 | 3, options: RespOptions): Framing {
  const { inline = false } = options;
  return nested(options, {
    kind: `resp${version}`,
    parameters: { inline: inline || undefined },
    what: "one RESP value",
    scanner: (limit, verb, maxDepth) => new RespScanner(limit, verb, { version, maxDepth, inline }),
  });
}
