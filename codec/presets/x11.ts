/** X11's framings: each direction has its own, and the first messages have theirs. */

import { InvalidLengthError } from "../../errors.ts";
import { namedDuplex } from "../duplex.ts";
import type { Framing, FramingOptions } from "../framing.ts";
import { canonical } from "../names.ts";
import { staged } from "../staged.ts";
import { type Rule, ruled, selfSized } from "./rule.ts";
import { checkSide, givenSide, type SideOptions } from "./side.ts";

/**
 * X11 from the start: {@linkcode x11Setup} and {@linkcode x11SetupReply} first, then
 * {@linkcode x11Request} one way and {@linkcode x11Event} the other.
 *
 * @throws {TypeError} for another side or byte order.
 */
export function x11(options: X11Options & SideOptions = {}): Framing {
  const side = checkSide(options);
  const client = staged(x11Setup(options), x11Request(options));
  const server = staged(x11SetupReply(options), x11Event(options));
  const endian = options.endian === "big" ? "big" : undefined;
  return namedDuplex(
    canonical("x11", { endian, side: givenSide(side) }),
    side === "client" ? { in: server, out: client } : { in: client, out: server },
  );
}

/** Options of X11's framings. */
export interface X11Options extends FramingOptions {
  /**
   * The byte order, which the client chooses with the first byte it sends.
   *
   * @default "little"
   */
  endian?: "big" | "little";
}

function x11Rule(
  name: string,
  headerBytes: number,
  { endian = "little" }: X11Options,
  sizeOf: (view: DataView, isLittle: boolean, bytes: number) => number,
): Rule {
  if (endian !== "big" && endian !== "little") {
    throw new TypeError(`Cannot use endian "${endian}": it must be "big" or "little"`);
  }
  const isLittle = endian === "little";
  return selfSized(
    name,
    headerBytes,
    (chunk, at, end) =>
      sizeOf(new DataView(chunk.buffer, chunk.byteOffset + at), isLittle, end - at),
    MAX_HEADER_BYTES,
  );
}

/** The longest header: that of a setup. */
const MAX_HEADER_BYTES = 12;

const padded = (bytes: number) => 4 * Math.ceil(bytes / 4);

/**
 * What an X11 client sends first: the byte `l` or `B` for the byte order, a byte, the version in 4, the
 * sizes of the name and of the data of the authorization in 2 each, 2 bytes, then both, each up to the
 * next multiple of 4.
 */
export function x11Setup(options: X11Options = {}): Framing {
  const rule = x11Rule(
    "x11Setup",
    12,
    options,
    (view, isLittle) =>
      12 + padded(view.getUint16(6, isLittle)) + padded(view.getUint16(8, isLittle)),
  );
  return ruled(rule, options);
}

/**
 * What an X11 server answers first: 8 bytes, of which the last 2 count the rest in words of 4 bytes.
 * Its first byte is 1 for success.
 */
export function x11SetupReply(options: X11Options = {}): Framing {
  const rule = x11Rule(
    "x11SetupReply",
    8,
    options,
    (view, isLittle) => 8 + 4 * view.getUint16(6, isLittle),
  );
  return ruled(rule, options);
}

/**
 * What an X11 client sends after its setup: a byte for the kind, a byte, and a length of 2 bytes that
 * counts the whole in words of 4 bytes. If it is 0, the length is in the next 4 bytes (BIG-REQUESTS).
 *
 * A message is the whole; one whose length tells another size is not sent. The limit is X.Org's,
 * 16 777 212 bytes with BIG-REQUESTS and 262 140 without; it answers error `BadLength`.
 */
export function x11Request(options: X11Options = {}): Framing {
  const rule = x11Rule("x11Request", 4, options, (view, isLittle, bytes) => {
    const words = view.getUint16(2, isLittle);
    if (words > 0) return 4 * words;
    if (bytes < 8) return -1;
    const many = view.getUint32(4, isLittle);
    if (many >= 2) return 4 * many;
    throw new InvalidLengthError(
      `Cannot use message: its length is ${many} words, and its header alone has 2`,
    );
  });
  return ruled(rule, options);
}

/**
 * What an X11 server sends after its setup: errors and events of 32 bytes, answers (first byte 1), and
 * generic events (first byte 35, or 163 if a client sent it), which are longer by what 4 bytes at offset 4
 * count, in words of 4 bytes.
 */
export function x11Event(options: X11Options = {}): Framing {
  const rule = x11Rule("x11Event", 8, options, (view, isLittle) => {
    const kind = view.getUint8(0);
    return kind === 1 || (kind & 0x7f) === 35 ? 32 + 4 * view.getUint32(4, isLittle) : 32;
  });
  return ruled(rule, options);
}
