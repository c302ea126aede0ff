/** Framing of serial lines by an END byte and escapes (RFC 1055). */

import { InvalidMessageError } from "../errors.ts";
import { DEFAULT_MAX_MESSAGE_BYTES, type Framing, type FramingOptions } from "./framing.ts";
import { canonical } from "./names.ts";
import { FrameScanner, view } from "./scan_decoder.ts";
import { scanned } from "./scanned.ts";

const END = 0xc0;
const ESC = 0xdb;
const ESC_END = 0xdc;
const ESC_ESC = 0xdd;

/** Options of {@linkcode slip}. */
export interface SlipOptions extends FramingOptions {
  /**
   * Whether each frame that is sent begins with END, too, as RFC 1055 advises for lines with noise: what
   * came before is then a frame of its own, and does not spoil the message.
   *
   * @default false
   */
  leadingEnd?: boolean;
}

/**
 * Frames messages as SLIP does on serial lines (RFC 1055). A frame ends with END (0xC0). An END in the
 * message is sent as 0xDB 0xDC, and an 0xDB as 0xDB 0xDD. Any other byte behind an 0xDB is refused.
 *
 * Empty frames are dropped, because END may stand at both ends of a frame. So an empty message cannot be
 * sent.
 *
 * @throws {RangeError} for a limit out of range.
 *
 * @example A message with both special bytes
 * ```ts
 * import { slip } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const frame = slip().encode(new Uint8Array([1, 0xc0, 0xdb]));
 * assertEquals(frame, new Uint8Array([1, 0xdb, 0xdc, 0xdb, 0xdd, 0xc0]));
 * assertEquals(slip().decoder().decode(frame), [new Uint8Array([1, 0xc0, 0xdb])]);
 * ```
 */
export function slip(options: SlipOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES, leadingEnd = false } = options;
  const endBytes = leadingEnd ? 2 : 1;
  return scanned({
    name: canonical("slip", { leadingEnd: leadingEnd ? true : undefined }),
    maxMessageBytes,
    scanner: (limit, verb) => new SlipScanner(limit, verb),
    encoding: {
      isSelective: true,
      frameBytes(message) {
        if (message.length === 0) {
          throw new InvalidMessageError(
            "Cannot send message of 0 bytes: SLIP has no empty messages",
          );
        }
        let escapes = 0;
        for (const byte of message) if (byte === END || byte === ESC) escapes++;
        return endBytes + message.length + escapes;
      },
      encodeInto(message, target, at) {
        if (leadingEnd) target[at++] = END;
        for (const byte of message) {
          if (byte === END || byte === ESC) {
            target[at++] = ESC;
            target[at++] = byte === END ? ESC_END : ESC_ESC;
          } else target[at++] = byte;
        }
        target[at++] = END;
        return at;
      },
    },
  });
}

class SlipScanner extends FrameScanner {
  /** The size of the message so far. */
  #size = 0;
  #isEscaped = false;
  /** How many escapes the last frame had. */
  #escapes = 0;

  constructor(maxMessageBytes: number, verb: "send" | "receive") {
    super(maxMessageBytes, maxMessageBytes + 1, verb); // Each byte may be escaped; then END.
  }

  override skip(bytes: Uint8Array, at: number, end: number): number {
    while (at < end && bytes[at] === END) at++;
    return at;
  }

  override scan(bytes: Uint8Array, at: number, end: number, origin: number): number {
    let size = this.#size;
    if (size === 0 && !this.#isEscaped) this.#escapes = 0;
    for (; at < end; at++) {
      const byte = bytes[at];
      if (this.#isEscaped) {
        if (byte !== ESC_END && byte !== ESC_ESC) {
          this.refuseByte(byte, at + origin, "0xdc or 0xdd, behind 0xdb,");
        }
        this.#isEscaped = false;
      } else if (byte === END) {
        this.#size = 0;
        return at + 1;
      } else if (byte === ESC) {
        this.#isEscaped = true;
        this.#escapes++;
        continue;
      }
      if (++size > this.maxMessageBytes) this.refuseSize(size, true);
    }
    this.#size = size;
    return -1;
  }

  override unwrap(bytes: Uint8Array, from: number, to: number, isOwn: boolean): Uint8Array {
    if (this.#escapes === 0) return view(bytes, from, to - 1);
    const size = to - 1 - from - this.#escapes;
    const message = isOwn ? view(bytes, from, from + size) : new Uint8Array(size);
    for (let at = from, end = 0; at < to - 1; at++) {
      const byte = bytes[at];
      message[end++] = byte !== ESC ? byte : bytes[++at] === ESC_END ? END : ESC;
    }
    return message;
  }

  override missing(): number {
    return this.#isEscaped ? 2 : 1;
  }
}
