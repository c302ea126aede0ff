/**
 * Every kind of framing, a row each: how it is made, what it carries, and what that looks like on the
 * wire. The grid of tests runs over this table, in codec_test.ts, property_test.ts and
 * memory_alone_test.ts; parse_test.ts takes its texts.
 */

import {
  type Framing,
  type FramingKind,
  type FramingName,
  type FramingOptions,
  type FramingText,
  lengthPrefix,
  line,
  varint,
} from "../../codec.ts";
import { hex, utf8 } from "../support/bytes.ts";

/** A row of the grid. */
export interface KindRow {
  /** The framing as text, in canonical form. */
  readonly text: FramingText;
  /** The same framing, by its function. */
  readonly make: (options?: FramingOptions) => Framing;
  /**
   * Messages and their frames. The first message is the largest, and has at least two bytes. Those who
   * can carry the empty message have it here.
   */
  readonly frames: readonly (readonly [message: Uint8Array, frame: string])[];
  /**
   * A frame that is one byte too long, and the limit, if it is not the size of the first message.
   */
  readonly above: { readonly frame: string; readonly limit?: number };
  /**
   * How many bytes of a frame must be there until its length is known. Undefined where frames have no
   * length.
   */
  readonly headerBytes?: number;
  /** A message that the framing can carry, made of any bytes; they stay as they are by default. */
  readonly carried?: (message: Uint8Array) => Uint8Array;
  /** A framing of this kind for messages of so many bytes; `make()` by default. */
  readonly forSize?: (bytes: number) => Framing;
  /** Parts of the grid that do not hold, and why. */
  readonly except?: Partial<Record<Exception, string>>;
}

/** What need not hold for every kind. */
export type Exception =
  /** A message inside one chunk is a view of the chunk. */
  | "views"
  /** `encodeParts()` gives the message itself. */
  | "parts"
  /** The last byte of a frame completes its message, and no byte before it. */
  | "last byte"
  /** A stream that ends inside a frame is an error. */
  | "truncated"
  /** What fuzz sends is refused at the same place however it is cut. */
  | "same error";

const HELLO = utf8("HELLO");
const HI = utf8("hi");
const NOTHING = utf8("");

/** Kinds that are not in the grid, and why. */
export const NOT_IN_GRID: Partial<Record<FramingKind, string>> = {
  none: "it keeps no boundaries",
};

function lengthRow(
  text: FramingName | `length(${string})`,
  make: KindRow["make"],
  [hello, nothing, hi, above]: readonly [string, string, string, string],
  headerBytes: number,
): KindRow {
  const frames = [[HELLO, hello], [NOTHING, nothing], [HI, hi]] as const;
  return { text, make, frames, above: { frame: above }, headerBytes };
}

/** The same bytes without what a line cannot carry. */
function asLine(message: Uint8Array): Uint8Array {
  const carried = message.map((byte, i) => {
    if (byte === 0x0a) return 0x20;
    return byte === 0x00 && message[i - 1] === 0x0d ? 0x20 : byte;
  });
  if (carried.at(-1) === 0x0d) carried[carried.length - 1] = 0x20;
  return carried;
}

/** The table. */
export const KINDS: readonly KindRow[] = [
  lengthRow(
    "u8",
    (options) => lengthPrefix({ ...options, bytes: 1 }),
    ["05 48454c4c4f", "00", "02 6869", "06 48454c4c4f21"],
    1,
  ),
  lengthRow(
    "u16be",
    (options) => lengthPrefix({ ...options, bytes: 2 }),
    ["0005 48454c4c4f", "0000", "0002 6869", "0006 48454c4c4f21"],
    2,
  ),
  lengthRow(
    "u16le",
    (options) => lengthPrefix({ ...options, bytes: 2, endian: "little" }),
    ["0500 48454c4c4f", "0000", "0200 6869", "0600 48454c4c4f21"],
    2,
  ),
  lengthRow(
    "u24be",
    (options) => lengthPrefix({ ...options, bytes: 3 }),
    ["000005 48454c4c4f", "000000", "000002 6869", "000006 48454c4c4f21"],
    3,
  ),
  lengthRow("u32be", lengthPrefix, [
    "00000005 48454c4c4f",
    "00000000",
    "00000002 6869",
    "00000006 48454c4c4f21",
  ], 4),
  lengthRow(
    "u32le",
    (options) => lengthPrefix({ ...options, endian: "little" }),
    ["05000000 48454c4c4f", "00000000", "02000000 6869", "06000000 48454c4c4f21"],
    4,
  ),
  lengthRow(
    "u64be",
    (options) => lengthPrefix({ ...options, bytes: 8 }),
    [
      "0000000000000005 48454c4c4f",
      "0000000000000000",
      "0000000000000002 6869",
      "0000000000000006 48454c4c4f21",
    ],
    8,
  ),
  lengthRow(
    "length(bytes:3,endian:little,offset:1,adjustment:-3)",
    (options) =>
      lengthPrefix({ ...options, bytes: 3, endian: "little", offset: 1, adjustment: -3 }),
    ["00 080000 48454c4c4f", "00 030000", "00 050000 6869", "00 090000 48454c4c4f21"],
    4,
  ),
  lengthRow("varint", varint, ["05 48454c4c4f", "00", "02 6869", "06 48454c4c4f21"], 1),
  {
    text: "line",
    make: line,
    frames: [[HELLO, "48454c4c4f 0a"], [NOTHING, "0a"], [HI, "6869 0a"]],
    above: { frame: "48454c4c4f21 0a" },
    carried: asLine,
    except: { truncated: "a last line may lack its newline" },
  },
  {
    text: "line(newline:crlf,telnet:false)",
    make: (options) => line({ ...options, newline: "\r\n", telnet: false }),
    frames: [[HELLO, "48454c4c4f 0d0a"], [NOTHING, "0d0a"], [HI, "6869 0d0a"]],
    above: { frame: "48454c4c4f21 0d0a" },
    carried: asLine,
    except: { truncated: "a last line may lack its newline" },
  },
];

/** The messages of a row, and their frames, one behind the other: each twice. */
export function streamOf({ frames }: KindRow): { messages: Uint8Array[]; stream: Uint8Array } {
  const twice = [...frames, ...frames];
  return {
    messages: twice.map(([message]) => message),
    stream: hex(twice.map(([_, frame]) => frame).join("")),
  };
}

/** The frame of the empty message, if the row can carry it. */
export function emptyFrameOf({ frames }: KindRow): Uint8Array | undefined {
  const found = frames.find(([message]) => message.length === 0);
  return found && hex(found[1]);
}
