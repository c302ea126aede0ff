/**
 * Every kind of framing, a row each: how it is made, what it carries, and what that looks like on the
 * wire. The grid of tests runs over this table, in codec_test.ts, property_test.ts and
 * memory_test.ts; parse_test.ts takes its texts.
 */

import {
  berTlv,
  cobs,
  contentLength,
  delimiter,
  erlang,
  fcgi,
  fixed,
  type Framing,
  type FramingKind,
  type FramingOptions,
  type FramingText,
  gob,
  gobUvarint,
  hl7,
  jsonSequence,
  jsonStream,
  lengthPrefix,
  line,
  lsp,
  mllp,
  netstring,
  octetCounted,
  recordMarking,
  redis,
  resp2,
  resp3,
  slip,
  syslog,
  tpkt,
  varint,
} from "../../codec.ts";
import { hex, utf8 } from "../support/bytes.ts";
import { PRESET_KINDS } from "./preset_kinds.ts";

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
  staged: "its frames differ from message to message: staged_test.ts",
  duplex: "what it decodes is not what it encodes: duplex_test.ts",
  amqp091: "its two directions differ",
  dbus: "its two directions differ",
  postgres: "its two directions differ",
  x11: "its two directions differ",
};

function lengthRow(
  text: FramingText,
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

/** Any bytes but none, which SLIP cannot say. */
function notEmpty(message: Uint8Array): Uint8Array {
  return message.length === 0 ? Uint8Array.of(0) : message;
}

/** A JSON value of any bytes: a string, an array or an object. */
function asJson(message: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(message);
  const values = [text, [...message], { [text]: [text, null, message.length] }];
  return utf8(JSON.stringify(values[message.length % 3]));
}

/** The bytes as a string of BER: of definite length, or in two parts. */
function asBer(message: Uint8Array): Uint8Array {
  const value = [
    0x04,
    0x83,
    ...[16, 8, 0].map((bits) => message.length >> bits & 0xff),
    ...message,
  ];
  if (message.length % 2 === 0) return Uint8Array.from(value);
  return Uint8Array.from([0x24, 0x80, ...value, 0x04, 0x00, 0x00, 0x00]);
}

/** The bytes as a string of Redis, alone or in arrays. */
function asResp(message: Uint8Array): Uint8Array {
  const value = [...utf8(`$${message.length}\r\n`), ...message, 0x0d, 0x0a];
  if (message.length % 2 === 0) return Uint8Array.from(value);
  return Uint8Array.from([...utf8("*2\r\n*0\r\n*2\r\n:1\r\n"), ...value]);
}

const OPTIONAL_NEWLINE = "a value needs no newline behind it";

/** The frame of a header and a body, in hexadecimal. */
function headed(header: string, body = ""): string {
  return utf8(header.replaceAll("\n", "\r\n") + body).toHex();
}

/** The same bytes without any of these, and with a byte where none is left. */
function without(...bytes: number[]): (message: Uint8Array) => Uint8Array {
  return (message) => message.map((byte) => bytes.includes(byte) ? 0x20 : byte);
}

/** A syslog message of any bytes: not empty, no digit at its start, no newline. */
function asSyslog(message: Uint8Array): Uint8Array {
  return new Uint8Array([0x3c, ...without(0x0a)(message)]);
}

/** A FastCGI record with any content. */
function asRecord(content: Uint8Array): Uint8Array {
  return new Uint8Array([1, 5, 0, 1, content.length >> 8, content.length, 0, 9, ...content]);
}

const OWN_KINDS: readonly KindRow[] = [
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
  lengthRow(
    "varint(endian:big)",
    (options) => varint({ ...options, endian: "big" }),
    ["05 48454c4c4f", "00", "02 6869", "06 48454c4c4f21"],
    1,
  ),
  {
    text: "fixed(5)",
    make: (options) => fixed(5, options),
    frames: [[HELLO, "48454c4c4f"]],
    above: { frame: "48454c4c4f", limit: 4 },
    carried: (message) => new Uint8Array([...message, 1, 2, 3, 4, 5]).slice(0, 5),
    forSize: (bytes) => fixed(bytes),
  },
  {
    text: "netstring",
    make: netstring,
    frames: [[HELLO, "353a 48454c4c4f 2c"], [NOTHING, "303a 2c"], [HI, "323a 6869 2c"]],
    above: { frame: "363a 48454c4c4f21 2c" },
    headerBytes: 2,
  },
  {
    text: "octetCounted",
    make: octetCounted,
    frames: [[HELLO, "3520 48454c4c4f"], [HI, "3220 6869"]],
    above: { frame: "3620 48454c4c4f21" },
    carried: asSyslog,
    headerBytes: 2,
  },
  {
    text: "octetCounted(send:lines)",
    make: (options) => octetCounted({ ...options, send: "lines" }),
    frames: [[HELLO, "48454c4c4f 0a"], [HI, "6869 0a"]],
    above: { frame: "48454c4c4f21 0a" },
    carried: asSyslog,
    except: { truncated: "a last line may lack its newline" },
  },
  {
    text: "octetCounted(accept:counted)",
    make: (options) => octetCounted({ ...options, accept: "counted" }),
    frames: [[HELLO, "3520 48454c4c4f"], [HI, "3220 6869"]],
    above: { frame: "3620 48454c4c4f21" },
    carried: asSyslog,
    headerBytes: 2,
  },
  {
    text: "contentLength",
    make: contentLength,
    frames: [
      [HELLO, headed("Content-Length: 5\n\n", "HELLO")],
      [NOTHING, headed("Content-Length: 0\n\n")],
      [HI, headed("Content-Length: 2\n\n", "hi")],
    ],
    above: { frame: headed("Content-Length: 6\n\n", "HELLO!") },
    headerBytes: 21,
  },
  {
    text: "contentLength(keepHeader:true)",
    make: (options) => contentLength({ ...options, keepHeader: true }),
    frames: [
      [hex(headed("a: b\nContent-LENGTH:2 \n\nhi")), headed("a: b\nContent-LENGTH:2 \n\nhi")],
      [hex(headed("Content-Length: 0\n\n")), headed("Content-Length: 0\n\n")],
    ],
    above: { frame: headed("a: b\nContent-LENGTH:3 \n\nhi!") },
    headerBytes: 27,
    carried: (body) => hex(headed(`Content-Length: ${body.length}\n\n`) + body.toHex()),
  },
  {
    text: "recordMarking",
    make: recordMarking,
    frames: [[HELLO, "80000005 48454c4c4f"], [NOTHING, "80000000"], [HI, "80000002 6869"]],
    above: { frame: "80000006 48454c4c4f21" },
    headerBytes: 4,
  },
  {
    text: "recordMarking(maxFragmentBytes:3)",
    make: (options) => recordMarking({ ...options, maxFragmentBytes: 3 }),
    frames: [
      [HELLO, "00000003 48454c 80000002 4c4f"],
      [NOTHING, "80000000"],
      [HI, "80000002 6869"],
    ],
    above: { frame: "00000003 48454c 80000003 4c4f21" },
    headerBytes: 11,
    except: { views: "fragments are put together", parts: "a long message is cut into fragments" },
  },
  {
    text: "fcgi",
    make: fcgi,
    frames: [[hex("01050001 00020009 6869"), "01050001 00020009 6869"]],
    above: { frame: "01050001 00030009 686921" },
    headerBytes: 8,
    carried: asRecord,
    except: { parts: "the length is written into the message" },
  },
  {
    text: "fcgi(keepPadding:true)",
    make: (options) => fcgi({ ...options, keepPadding: true }),
    frames: [
      [hex("01050001 00020300 6869 000000"), "01050001 00020300 6869 000000"],
      [hex("01050001 00000000"), "01050001 00000000"],
    ],
    above: { frame: "01050001 00030300 686921 000000" },
    headerBytes: 8,
    carried: asRecord,
    except: { parts: "the length is written into the message" },
  },
  {
    text: "tpkt",
    make: tpkt,
    frames: [[HELLO, "03000009 48454c4c4f"], [NOTHING, "03000004"], [HI, "03000006 6869"]],
    above: { frame: "0300000a 48454c4c4f21" },
    headerBytes: 4,
  },
  {
    text: "tpkt(keepHeader:true)",
    make: (options) => tpkt({ ...options, keepHeader: true }),
    frames: [[hex("03000006 6869"), "03000006 6869"], [hex("03000004"), "03000004"]],
    above: { frame: "03000007 686921" },
    headerBytes: 4,
    carried: (body) => new Uint8Array([3, 0, (body.length + 4) >> 8, body.length + 4, ...body]),
    except: { parts: "the length is written into the message" },
  },
  {
    text: "delimiter(00)",
    make: (options) => delimiter("\0", options),
    frames: [[HELLO, "48454c4c4f 00"], [NOTHING, "00"], [HI, "6869 00"]],
    above: { frame: "48454c4c4f21 00" },
    carried: without(0),
  },
  {
    text: "delimiter(0d0a)",
    make: (options) => delimiter("\r\n", options),
    frames: [[HELLO, "48454c4c4f 0d0a"], [NOTHING, "0d0a"], [hex("0d0d"), "0d0d 0d0a"]],
    above: { frame: "48454c4c4f21 0d0a" },
    carried: without(0x0a),
  },
  {
    text: "delimiter(0d0a,0a,00,openEnd:true)",
    make: (options) => delimiter(["\r\n", "\n", "\0"], { ...options, openEnd: true }),
    frames: [[HELLO, "48454c4c4f 0d0a"], [NOTHING, "0d0a"], [HI, "6869 0d0a"]],
    above: { frame: "48454c4c4f21 0d0a" },
    carried: without(0x0a, 0, 0x0d),
    except: { truncated: "what stands behind the last delimiter is a message" },
  },
  {
    text: "delimiter(616162,keep:true)",
    make: (options) => delimiter("aab", { ...options, keep: true }),
    frames: [[utf8("HELaaab"), "48454c 61616162"], [utf8("aab"), "616162"]],
    above: { frame: "48454c4c 61616162" },
    carried: (message) => new Uint8Array([...without(0x62)(message), 0x61, 0x61, 0x62]),
  },
  {
    text: "mllp",
    make: mllp,
    frames: [
      [HELLO, "0b 48454c4c4f 1c0d"],
      [NOTHING, "0b 1c0d"],
      [hex("0b1c"), "0b 0b1c 1c0d"],
    ],
    above: { frame: "0b 48454c4c4f21 1c0d" },
    carried: without(0x0d),
  },
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
  {
    text: "gobUvarint",
    make: gobUvarint,
    frames: [[HELLO, "05 48454c4c4f"], [NOTHING, "00"], [HI, "02 6869"]],
    above: { frame: "06 48454c4c4f21" },
    headerBytes: 1,
  },
  {
    text: "slip",
    make: slip,
    frames: [[HELLO, "48454c4c4f c0"], [hex("c0db"), "dbdcdbdd c0"], [HI, "6869 c0"]],
    above: { frame: "48454c4c4f21 c0" },
    carried: notEmpty,
    except: { parts: "bytes may be escaped", views: "messages with escapes are copied" },
  },
  {
    text: "slip(leadingEnd:true)",
    make: (options) => slip({ ...options, leadingEnd: true }),
    frames: [[HELLO, "c0 48454c4c4f c0"], [hex("c0db"), "c0 dbdcdbdd c0"], [HI, "c0 6869 c0"]],
    above: { frame: "c0 48454c4c4f21 c0" },
    carried: notEmpty,
    except: {
      parts: "bytes may be escaped",
      views: "messages with escapes are copied",
      "last byte": "an END before a frame is no part of it",
      truncated: "an END before a frame is no part of it",
    },
  },
  {
    text: "cobs",
    make: cobs,
    frames: [
      [HELLO, "06 48454c4c4f 00"],
      [NOTHING, "01 00"],
      [hex("00aa00"), "01 02 aa 01 00"],
      [HI, "03 6869 00"],
    ],
    above: { frame: "07 48454c4c4f21 00" },
    except: { parts: "zeros are taken out", views: "messages with zeros are copied" },
  },
  {
    text: "jsonStream",
    make: jsonStream,
    frames: [[utf8('"HELLO"'), "2248454c4c4f22 0a"], [utf8("{}"), "7b7d 0a"], [utf8("1"), "31 0a"]],
    above: { frame: "2248454c4c4f2122" },
    carried: asJson,
    except: { "last byte": OPTIONAL_NEWLINE, truncated: OPTIONAL_NEWLINE },
  },
  {
    text: "jsonStream(maxDepth:3)",
    make: (options) => jsonStream({ ...options, maxDepth: 3 }),
    frames: [[utf8("[[[]]]"), "5b5b5b5d5d5d 0a"], [utf8("-1"), "2d31 0a"]],
    above: { frame: "5b5b5b205d5d5d" },
    carried: asJson,
    except: { "last byte": OPTIONAL_NEWLINE, truncated: OPTIONAL_NEWLINE },
  },
  {
    text: "jsonSequence",
    make: jsonSequence,
    frames: [
      [utf8("12345"), "1e 3132333435 0a"],
      [utf8("[\n]"), "1e 5b0a5d 0a"],
      [utf8("{}"), "1e 7b7d 0a"],
    ],
    above: { frame: "1e 313233343536 0a" },
    carried: asJson,
  },
  {
    text: "berTlv",
    make: berTlv,
    frames: [
      [hex("04 05 48454c4c4f"), "04 05 48454c4c4f"],
      [hex("30 80 05 00 00 00"), "30 80 05 00 00 00"],
      [hex("05 00"), "05 00"],
    ],
    above: { frame: "04 06 48454c4c4f21" },
    headerBytes: 2,
    carried: asBer,
  },
  {
    text: "resp2",
    make: resp2,
    frames: [
      [utf8("$5\r\nHELLO\r\n"), "24350d0a 48454c4c4f 0d0a"],
      [utf8("*1\r\n:7\r\n"), "2a310d0a 3a370d0a"],
      [utf8("+OK\r\n"), "2b4f4b0d0a"],
    ],
    above: { frame: "24360d0a 48454c4c4f21 0d0a" },
    headerBytes: 4,
    carried: asResp,
  },
  {
    text: "resp2(inline:true)",
    make: (options) => resp2({ ...options, inline: true }),
    frames: [
      [utf8("*1\r\n$2\r\nhi\r\n"), "2a310d0a 24320d0a 6869 0d0a"],
      [utf8("PING\r\n"), "50494e47 0d0a"],
      [utf8("PING\n"), "50494e47 0a"],
    ],
    above: { frame: "2a310d0a 24330d0a 686921 0d0a" },
    carried: asResp,
  },
  {
    text: "resp3",
    make: resp3,
    frames: [
      [utf8("!5\r\nHELLO\r\n"), "21350d0a 48454c4c4f 0d0a"],
      [utf8("%1\r\n#t\r\n_\r\n"), "25310d0a 23740d0a 5f0d0a"],
      [utf8("*?\r\n.\r\n"), "2a3f0d0a 2e0d0a"],
    ],
    above: { frame: "21360d0a 48454c4c4f21 0d0a" },
    headerBytes: 4,
    carried: asResp,
  },
];

/** Names of programs for framings that have a row. */
const SAME: readonly (readonly [FramingText, KindRow["make"], FramingText])[] = [
  ["erlang(1)", (options) => erlang({ ...options, packet: 1 }), "u8"],
  ["erlang(2)", (options) => erlang({ ...options, packet: 2 }), "u16be"],
  ["erlang(4)", (options) => erlang({ ...options, packet: 4 }), "u32be"],
  ["erlang(asn1)", (options) => erlang({ ...options, packet: "asn1" }), "berTlv"],
  ["erlang(sunrm)", (options) => erlang({ ...options, packet: "sunrm" }), "recordMarking"],
  ["erlang(fcgi)", (options) => erlang({ ...options, packet: "fcgi" }), "fcgi"],
  ["erlang(tpkt)", (options) => erlang({ ...options, packet: "tpkt" }), "tpkt(keepHeader:true)"],
  ["gob", gob, "gobUvarint"],
  ["hl7", hl7, "mllp"],
  ["lsp", lsp, "contentLength"],
  ["redis", redis, "resp2"],
  ["redis(version:3)", (options) => redis({ ...options, version: 3 }), "resp3"],
  ["syslog", syslog, "octetCounted"],
];

/** The table. */
export const KINDS: readonly KindRow[] = [
  ...OWN_KINDS,
  ...PRESET_KINDS,
  ...SAME.map(([text, make, same]) => {
    const row = OWN_KINDS.find((row) => row.text === same);
    if (row === undefined) throw new Error(`There is no row ${same}`);
    return { ...row, text, make };
  }),
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
