/** What the framings share whose frames are scanned. */

import type { Memory } from "../internal/memory.ts";
import { checkInteger } from "../internal/check.ts";
import {
  checkLimit,
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  encodeWhole,
  type Framing,
  type FramingOptions,
} from "./framing.ts";
import { canonical, type FramingKind, type Given } from "./names.ts";
import { type FrameScanner, ScanDecoder } from "./scan_decoder.ts";

/** How deep the parts of a message may lie in one another, if nothing else is said. */
const DEFAULT_MAX_DEPTH = 512;

/** What is different from framing to framing. */
export interface Scanned {
  readonly name: string;
  readonly maxMessageBytes: number;
  /** A new scanner of its frames. */
  readonly scanner: (maxMessageBytes: number, verb: "send" | "receive") => FrameScanner;
  readonly encoding: Pick<Framing, "frameBytes" | "encodeInto"> & Partial<Framing>;
}

/** Makes a framing of these parts. */
export function scanned(parts: Scanned): Framing {
  const { name, maxMessageBytes, scanner, encoding } = parts;
  return {
    name,
    maxMessageBytes: checkLimit(maxMessageBytes),
    keepsBoundaries: true,
    withLimit: (maxMessageBytes) => scanned({ ...parts, maxMessageBytes }),
    decoder: (memory?: Memory): Decoder =>
      new ScanDecoder(scanner(maxMessageBytes, "receive"), memory),
    encodeParts(message) {
      return [this.encode(message)];
    },
    encode(message) {
      return encodeWhole(this, message);
    },
    ...encoding,
  };
}

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

/** A kind of framing whose messages have parts that lie in one another. */
export interface Nested extends Enclosure {
  readonly kind: FramingKind;
  /** The parameters of its name besides `maxDepth`. */
  readonly parameters?: Readonly<Record<string, Given>>;
  /** The one thing that a message must be. */
  readonly what: string;
  /** A new scanner of its frames. */
  readonly scanner: (
    maxMessageBytes: number,
    verb: "send" | "receive",
    maxDepth: number,
  ) => FrameScanner;
}

/**
 * Makes a framing of such a kind.
 *
 * @throws {RangeError} for a limit out of range.
 */
export function nested(options: NestedOptions, parts: Nested): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES, maxDepth = DEFAULT_MAX_DEPTH } = options;
  checkInteger("maxDepth", maxDepth, 1, 1_000_000);
  const { kind, parameters, what, ...enclosure } = parts;
  const scanner: Scanned["scanner"] = (limit, verb) => parts.scanner(limit, verb, maxDepth);
  return scanned({
    name: canonical(kind, {
      maxDepth: maxDepth === DEFAULT_MAX_DEPTH ? undefined : maxDepth,
      ...parameters,
    }),
    maxMessageBytes,
    scanner,
    encoding: enclosed(scanner, what, enclosure),
  });
}

/** What stands around each message that is sent. */
export interface Enclosure {
  readonly before?: readonly number[];
  readonly after?: readonly number[];
  /** Whether `after` is part of the frame; else it only stands between two frames. */
  readonly isAfterInside?: boolean;
}

/**
 * Encoding for framings whose scanner can tell whether a message is what they carry. A frame is the
 * message with a few bytes around it. `what` names the one thing that a message must be.
 */
export function enclosed(
  scanner: Scanned["scanner"],
  what: string,
  { before = [], after = [], isAfterInside = false }: Enclosure = {},
): Scanned["encoding"] {
  const head = Uint8Array.from(before);
  const tail = Uint8Array.from(after);
  /** A scanner that is ready for a frame. One that was stopped by an error is not used again. */
  let spare: FrameScanner | undefined;

  /**
   * Scans the message as if it were received.
   *
   * @throws {InvalidMessageError} if that would not give exactly this message.
   */
  function check(message: Uint8Array): void {
    const { length } = message;
    const checker = spare ?? scanner(Number.MAX_SAFE_INTEGER, "send");
    spare = undefined;
    if (head.length > 0) checker.scan(head, 0, head.length, -head.length);
    let end = checker.scan(message, 0, length, 0);
    if (end < 0) end = length + scanTail(checker, length);
    if (end !== (isAfterInside ? length + tail.length : length)) {
      checker.refuse(`it is not ${what}, more follows at byte ${end}`);
    }
    checker.total = Infinity;
    spare = checker;
  }

  /** Where in the tail the frame ends. */
  function scanTail(checker: FrameScanner, length: number): number {
    const early = `it is not ${what}, it ends too early, at byte ${length}`;
    let end: number;
    try {
      end = checker.scan(tail, 0, tail.length, length);
    } catch {
      checker.refuse(early); // The tail is ours: the sender need not read what is wrong with it.
    }
    return end < 0 ? checker.refuse(early) : end;
  }

  return {
    isSelective: true,
    frameBytes(message) {
      check(message);
      return head.length + message.length + tail.length;
    },
    encodeInto(message, target, at) {
      target.set(head, at);
      target.set(message, at + head.length);
      target.set(tail, at + head.length + message.length);
      return at + head.length + message.length + tail.length;
    },
    encodeParts(message) {
      check(message);
      return [head, message, tail].filter((part) => part === message || part.length > 0);
    },
  };
}
