/** The rows of the grid of tests for framings under the names of programs; kinds.ts has the others. */

import { concat } from "@std/bytes";
import {
  bgp,
  bson,
  capnp,
  chromeNative,
  diameter,
  dns,
  dotnetString,
  type Framing,
  type FramingOptions,
  type FramingText,
  grpcMessage,
  javaUtf,
  journalExport,
  kafka,
  minecraft,
  mqtt,
  mysql,
  nineP,
  pythonConnection,
  qtByteArray,
  qtString,
  ros1,
  smpp,
  sshAgent,
  thriftFramed,
  zookeeper,
} from "../../codec.ts";
import { hex, utf8 } from "../support/bytes.ts";
import type { KindRow } from "./kinds.ts";

type Make = (options?: FramingOptions) => Framing;

/** A number in so many bytes. */
function be(value: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => value / 2 ** (8 * (bytes - 1 - i)));
}

function le(value: number, bytes: number): Uint8Array {
  return be(value, bytes).toReversed();
}

/** A framing whose frames are a header and the message. */
function headed(
  text: FramingText,
  make: Make,
  header: (bytes: number) => Uint8Array,
  headerBytes: number = header(0).length,
): KindRow {
  const frame = (text: string) => concat([header(text.length), utf8(text)]).toHex();
  return {
    text,
    make,
    frames: ["HELLO", "", "hi"].map((text) => [utf8(text), frame(text)] as const),
    above: { frame: frame("HELLO!") },
    headerBytes,
  };
}

/** The encoder writes the length over bytes of the message. */
const FILLED: Partial<KindRow> = { except: { parts: "the length is written into it" } };

/** A framing whose messages are whole frames. `build` makes one of any content. */
function whole(
  text: FramingText,
  make: Make,
  build: (content: Uint8Array) => Uint8Array,
  headerBytes: number,
  rest: Partial<KindRow> = {},
): KindRow {
  const messages = ["HELLO", "", "hi"].map((text) => build(utf8(text)));
  return {
    text,
    make,
    frames: messages.map((message) => [message, message.toHex()] as const),
    above: { frame: build(utf8("HELLO!")).toHex() },
    headerBytes,
    carried: build,
    ...rest,
  };
}

const u32be = (bytes: number) => be(bytes, 4);
const u32le = (bytes: number) => le(bytes, 4);

function mqttPacket(content: Uint8Array): Uint8Array {
  const bytes = [content.length & 0x7f];
  for (let rest = content.length >> 7; rest > 0; rest >>= 7) {
    bytes[bytes.length - 1] |= 0x80;
    bytes.push(rest & 0x7f);
  }
  return Uint8Array.from([0x30, ...bytes, ...content]);
}

/** Two segments, of which the second has the content, as words. */
function capnpMessage(content: Uint8Array): Uint8Array {
  const words = Math.ceil(content.length / 8);
  const table = [le(1, 4), le(1, 4), le(words, 4), new Uint8Array(4)];
  return concat([...table, new Uint8Array(8), content, new Uint8Array(8 * words - content.length)]);
}

function journalEntry(content: Uint8Array): Uint8Array {
  const text = content.map((byte) => byte === 0x0a ? 0x20 : byte);
  const binary = concat([utf8("B\n"), le(content.length, 8), content, utf8("\n")]);
  return concat([utf8("A="), text, utf8("\n"), binary]);
}

function asUtf8(message: Uint8Array): Uint8Array {
  return utf8(
    Array.from(message, (byte) => String.fromCodePoint(byte * 300)).join("").toWellFormed(),
  );
}

/** Characters of one and two bytes, and NUL. */
function asLatin1(message: Uint8Array): Uint8Array {
  return utf8(Array.from(message, (byte) => String.fromCharCode(byte)).join(""));
}

/** The table. */
export const PRESET_KINDS: readonly KindRow[] = [
  whole("9p", nineP, (m) => concat([le(7 + m.length, 4), hex("65 ffff"), m]), 4, FILLED),
  whole(
    "bgp",
    bgp,
    (m) => concat([hex("ff".repeat(16)), be(19 + m.length, 2), hex("04"), m]),
    18,
    FILLED,
  ),
  whole("bson", bson, (m) => concat([le(5 + m.length, 4), m, hex("00")]), 4, FILLED),
  whole("capnp", capnp, capnpMessage, 16, {
    frames: [utf8("HELLO"), utf8("")].map(capnpMessage).map((m) => [m, m.toHex()] as const),
    // Messages are multiples of 8 bytes.
    above: { frame: capnpMessage(utf8("HELLO")).toHex(), limit: 31 },
  }),
  headed("chromeNative", chromeNative, u32le),
  headed("chromeNative(side:browser)", (o) => chromeNative({ ...o, side: "browser" }), u32le),
  whole("diameter", diameter, (m) => concat([hex("01"), be(4 + m.length, 3), m]), 4, FILLED),
  headed("dns", dns, (bytes) => be(bytes, 2)),
  headed("dotnetString", dotnetString, (bytes) => be(bytes, 1)),
  headed("grpcMessage", grpcMessage, (bytes) => concat([hex("00"), be(bytes, 4)])),
  whole(
    "grpcMessage(keepHeader:true)",
    (options) => grpcMessage({ ...options, keepHeader: true }),
    (m) => concat([hex("01"), be(m.length, 4), m]),
    5,
    FILLED,
  ),
  {
    ...headed("javaUtf", javaUtf, (bytes) => be(bytes, 2)),
    frames: [
      [utf8("a\0é😀"), "000b 61 c080 c3a9 eda0bd edb880"],
      [utf8(""), "0000"],
      [utf8("hi"), "0002 6869"],
    ],
    above: { frame: "0006 48454c4c4f21", limit: 5 },
    headerBytes: undefined,
    carried: asLatin1,
    except: { views: "it converts", parts: "it converts" },
  },
  whole("journalExport", journalExport, journalEntry, 0, {
    frames: ["HELLO", "", "hi"].map(utf8).map(journalEntry).map((m) =>
      [m, m.toHex() + "0a"] as const
    ),
    above: { frame: concat([utf8("A=HELLOHELLOHELLOHELLO"), utf8("\n\n")]).toHex(), limit: 22 },
    headerBytes: undefined,
  }),
  headed("kafka", kafka, u32be),
  headed("minecraft", minecraft, (bytes) => be(bytes, 1)),
  whole("mqtt", mqtt, mqttPacket, 2),
  whole("mysql", mysql, (m) => concat([le(m.length, 3), hex("07"), m]), 4, FILLED),
  headed("pythonConnection", pythonConnection, u32be),
  headed("qtByteArray", qtByteArray, u32be),
  {
    text: "qtString",
    make: qtString,
    frames: [
      [utf8("a\0é😀"), "0000000a 0061 0000 00e9 d83dde00"],
      [utf8(""), "00000000"],
      [utf8("hi"), "00000004 0068 0069"],
    ],
    above: { frame: "00000004 6f226f22", limit: 5 },
    carried: asUtf8,
    except: { views: "it converts", parts: "it converts" },
  },
  headed("ros1", ros1, u32le),
  whole("smpp", smpp, (m) => concat([be(4 + m.length, 4), m]), 4, FILLED),
  headed("sshAgent", sshAgent, u32be),
  headed("thriftFramed", thriftFramed, u32be),
  headed("zookeeper", zookeeper, u32be),
];
