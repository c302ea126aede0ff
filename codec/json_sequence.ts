/** Framing of JSON text sequences (RFC 7464). */

import type { Framing } from "./framing.ts";
import { isSpace, JsonScanner } from "./json_scanner.ts";
import { FrameScanner, view } from "./scan_decoder.ts";
import { nested, type NestedOptions } from "./scanned.ts";

/** Record separator. */
const RS = 0x1e;
const LF = 0x0a;

/**
 * Frames messages as the texts of a JSON text sequence (RFC 7464), the media type
 * `application/json-seq`: a record separator (0x1E), a JSON text, a newline. The text may have newlines
 * in it: the first newline behind its value ends it. A text that lacks its newline is a message
 * too, if the next record separator or the end of the stream follows, and if its value shows by itself
 * that it is whole, as objects do and numbers do not (section 2.4).
 *
 * A message is one JSON value with white space around it or none, but without a newline behind it.
 * Sending anything else is refused. A text that was cut, or is not JSON, ends the stream with an error:
 * RFC 7464 would let a parser go on at the next record separator, but here no message is lost silently.
 *
 * @throws {RangeError} for a limit out of range.
 *
 * @example The bytes of a number
 * ```ts
 * import { jsonSequence } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const frame = jsonSequence().encode(new TextEncoder().encode("42"));
 * assertEquals(frame, new Uint8Array([0x1e, 0x34, 0x32, 0x0a]));
 * ```
 */
export function jsonSequence(options: NestedOptions = {}): Framing {
  return nested(options, {
    kind: "jsonSequence",
    what: "one JSON value",
    before: [RS],
    after: [LF],
    isAfterInside: true,
    scanner: (limit, verb, maxDepth) => new SequenceScanner(limit, verb, maxDepth),
  });
}

class SequenceScanner extends FrameScanner {
  #state: "separator" | "before" | "value" | "after" = "separator";
  readonly #value: JsonScanner;
  /** The offset of the text. */
  #start = 0;
  /** Whether the value may have been cut unless white space follows. */
  #isOpen = false;

  constructor(maxMessageBytes: number, verb: "send" | "receive", maxDepth: number) {
    super(maxMessageBytes, 2, verb);
    this.#value = new JsonScanner(maxMessageBytes, verb, maxDepth);
  }

  override skip(bytes: Uint8Array, at: number, end: number): number {
    return this.#value.skip(bytes, at, end);
  }

  override scan(bytes: Uint8Array, at: number, end: number, origin: number): number {
    while (at < end) {
      const byte = bytes[at];
      switch (this.#state) {
        case "separator":
          if (byte !== RS) this.refuseByte(byte, at + origin, "a record separator (0x1e)");
          this.#start = ++at + origin;
          this.#state = "before";
          break;
        case "before":
          // A text of nothing is none (section 2.1).
          if (byte === RS && this.verb === "receive") this.#start = ++at + origin;
          else if (isSpace(byte)) at++;
          else {
            this.#isOpen = byte !== 0x7b && byte !== 0x5b && byte !== 0x22; // { [ "
            this.#state = "value";
          }
          break;
        case "value":
          this.#value.start = this.start;
          at = this.#value.scan(bytes, at, end, origin);
          if (at < 0) return -1;
          this.#state = "after";
          break;
        case "after":
          if (byte === LF || byte === RS && !this.#isOpen) {
            this.#state = "separator";
            return byte === LF ? at + 1 : at;
          }
          if (!isSpace(byte)) this.refuseByte(byte, at + origin, "a newline");
          this.#isOpen = false;
          at++;
      }
    }
    return -1;
  }

  override unwrap(bytes: Uint8Array, from: number, to: number): Uint8Array {
    return view(bytes, from + this.#start, bytes[to - 1] === LF ? to - 1 : to);
  }

  override isWhole(): boolean {
    return this.#state === "after" && !this.#isOpen;
  }
}
