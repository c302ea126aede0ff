/** Capture files: packets of every link, and the bytes of TCP connections put together. */

import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import { ByteReader } from "../../../programs/capture/bytes.ts";
import {
  CaptureError,
  isCapture,
  type Packet,
  packetsOf,
} from "../../../programs/capture/packets.ts";
import { segmentOf } from "../../../programs/capture/segment.ts";
import {
  type StreamEvent,
  Streams,
  type StreamsOptions,
} from "../../../programs/capture/streams.ts";
import { byteByByte, hex, utf8 } from "../../support/bytes.ts";
import { ip4, ip6, pcap, pcapng, type SegmentSpec } from "../../support/captures.ts";

async function* fileOf(...chunks: Uint8Array[]) {
  yield* chunks;
}

async function read(...chunks: Uint8Array[]): Promise<Packet[]> {
  return await Array.fromAsync(packetsOf(new ByteReader(fileOf(...chunks))));
}

const HELLO = ip4({ seq: 1, bytes: utf8("HELLO") });
const WORLD = ip4({ from: "server", seq: 1, bytes: utf8("WORLD") });
const TWO = [{ bytes: HELLO }, { bytes: WORLD }];

const FILES: Record<string, Uint8Array> = {
  "pcap, little-endian": pcap(101, TWO),
  "pcap, big-endian": pcap(101, TWO, { little: false }),
  "pcap in nanoseconds": pcap(101, TWO, { nanoseconds: true }),
  "pcapng, little-endian": pcapng(101, [HELLO, WORLD]),
  "pcapng, big-endian": pcapng(101, [HELLO, WORLD], false),
};

for (const [name, file] of Object.entries(FILES)) {
  Deno.test(`A capture is read in any chunks: ${name}`, async () => {
    for (const chunks of [[file], byteByByte(file)]) {
      const packets = await read(...chunks);
      assertEquals(packets.map(({ bytes }) => bytes), [HELLO, WORLD]);
      assertEquals(packets.map(({ time }) => time), [1_700_000_000_000, 1_700_000_000_001]);
      assertEquals(packets.map(({ wireBytes }) => wireBytes), [HELLO.length, WORLD.length]);
    }
    assertEquals(isCapture(file), true);
  });

  Deno.test(`A capture that is cut off gives what is whole, and then an error: ${name}`, async () => {
    const whole = await read(file);
    const ends = new Set<number>();
    for (let size = 0; size < file.length; size++) {
      const packets: Packet[] = [];
      try {
        for await (const packet of packetsOf(new ByteReader(fileOf(file.subarray(0, size))))) {
          packets.push(packet);
        }
        ends.add(packets.length);
      } catch (error) {
        assertInstanceOf(error, CaptureError);
      }
      assertEquals(packets, whole.slice(0, packets.length));
      if (size === file.length - 1) assertEquals(packets.length, 1);
    }
    assertEquals([...ends], [0, 1]); // Cut between two records, it is just a shorter file.
  });
}

Deno.test("A file that is no capture is refused, and so are impossible lengths", async () => {
  await assertRejects(() => read(utf8("GET / HTTP/1.1")), CaptureError, "neither pcap nor pcapng");
  await assertRejects(() => read(new Uint8Array(0)), CaptureError, "neither pcap nor pcapng");
  const large = pcap(101, TWO);
  large.set(hex("ffffffff"), 24 + 8);
  await assertRejects(
    () => read(large),
    CaptureError,
    "4294967295 bytes in one record at byte 40: limit is 16777216 bytes",
  );
  const short = pcapng(101, [HELLO]);
  short.set(hex("04000000"), 4);
  await assertRejects(() => read(short), CaptureError, "a block of 4 bytes at byte 0");
  const order = pcapng(101, [HELLO]);
  order.set(hex("00000000"), 8);
  await assertRejects(() => read(order), CaptureError, "byte order 0x0 at byte 8");
});

const u16 = (value: number) => Uint8Array.of(value >>> 8, value & 255);
const ETHERNET = hex("020000000001 020000000002");
const LINKS: Record<string, [linkType: number, bytes: Uint8Array]> = {
  "loopback of BSD and macOS": [0, concat([hex("02000000"), HELLO])],
  "Ethernet": [1, concat([ETHERNET, hex("0800"), HELLO])],
  "Ethernet with two VLAN tags": [1, concat([ETHERNET, hex("88a80001 81000002 0800"), HELLO])],
  "Ethernet with padding": [1, concat([ETHERNET, hex("0800"), HELLO, hex("000000000000")])],
  "PPPoE in Ethernet": [
    1,
    concat([ETHERNET, hex("8864 11 00 0001"), u16(HELLO.length + 2), hex("0021"), HELLO]),
  ],
  "netfilter's log": [
    239,
    concat([hex("02 00 0000 0800 0100 08000100 0500 0a00 61000000 0000 0900"), HELLO]),
  ],
  "PPP": [9, concat([hex("ff03 0021"), HELLO])],
  "raw IP": [12, HELLO],
  "raw IP, 101": [101, HELLO],
  "OpenBSD loopback": [108, concat([hex("00000002"), HELLO])],
  "Linux cooked": [113, concat([hex("0000 0304 0006 000000000000 0000 0800"), HELLO])],
  "IPv4 alone": [228, HELLO],
  "Linux cooked, version 2": [
    276,
    concat([hex("0800 0000 00000001 0304 00 06 0000000000000000"), HELLO]),
  ],
  "PKTAP of macOS": [
    258,
    concat([hex("10000000 00000000 01000000 00000000"), ETHERNET, hex("0800"), HELLO]),
  ],
};

Deno.test("A segment is found behind every link that tcpdump writes", () => {
  for (const [name, [linkType, bytes]] of Object.entries(LINKS)) {
    const segment = segmentOf({ time: 0, linkType, bytes, wireBytes: bytes.length });
    if (typeof segment === "string") throw new Error(`${name}: ${segment}`);
    const { from, to, bytes: body } = segment;
    assertEquals([from, to, body], ["10.0.0.1:40000", "10.0.0.2:7000", utf8("HELLO")], name);
  }
});

Deno.test("A segment of IPv6 is found behind extension headers", () => {
  const spec = { seq: 1, bytes: utf8("HELLO") };
  const routing = concat([hex("2b 00 000000000000"), hex("06 00 000000000000")]);
  for (const bytes of [ip6(spec), ip6(spec, 0, routing)]) {
    const segment = segmentOf({ time: 0, linkType: 229, bytes, wireBytes: bytes.length });
    if (typeof segment === "string") throw new Error(segment);
    assertEquals(segment.bytes, utf8("HELLO"));
    assertEquals([segment.from, segment.to], ["[2001:db8::1]:40000", "[::1]:7000"]);
  }
});

Deno.test("What is no whole TCP segment is told by its reason", () => {
  const reason = (linkType: number, bytes: Uint8Array) =>
    segmentOf({ time: 0, linkType, bytes, wireBytes: bytes.length });
  assertEquals(reason(147, HELLO), "link type");
  assertEquals(reason(1, concat([ETHERNET, hex("0806 0001")])), "other protocol");
  const udp = HELLO.slice();
  udp[9] = 17;
  assertEquals(reason(101, udp), "other protocol");
  const fragment = HELLO.slice();
  fragment[6] = 0x20;
  assertEquals(reason(101, fragment), "fragment");
  for (let size = 0; size < 34; size++) {
    assertEquals(reason(101, HELLO.subarray(0, size)), "cut off");
  }
});

/** What a capture of these segments gives: bytes as text, and what else was told. */
function story(...segments: SegmentSpec[]): string[] {
  const streams = new Streams();
  const events: StreamEvent[] = [];
  for (const spec of segments) {
    const bytes = ip4(spec);
    const captured = spec.captured === undefined ? bytes.length : 40 + spec.captured;
    const packet = { time: 0, linkType: 101, wireBytes: bytes.length };
    events.push(...streams.add({ ...packet, bytes: bytes.subarray(0, captured) }));
  }
  events.push(...streams.end());
  return events.filter(({ isLast }) => !isLast).map(({ stream, from, bytes, missing, end }) =>
    `${stream.number} ${from} ` +
    (bytes ? new TextDecoder().decode(bytes) : missing ? `-${missing}` : end)
  );
}

/** A segment of the client's, with a text. */
function say(seq: number, text: string): SegmentSpec {
  return { seq, bytes: utf8(text) };
}

Deno.test("Streams are put together from segments that are repeated, swapped or overlapping", () => {
  assertEquals(story(say(1, "ab"), say(3, "cd")), ["1 client ab", "1 client cd"]);
  assertEquals(story(say(1, "ab"), say(1, "ab"), say(3, "c")), ["1 client ab", "1 client c"]);
  assertEquals(story({ seq: 0, flags: "S" }, say(3, "cd"), say(1, "ab")), [
    "1 client ab",
    "1 client cd",
  ]);
  assertEquals(story(say(1, "abc"), say(2, "bcde"), say(1, "ab")), ["1 client abc", "1 client de"]);
  assertEquals(story(say(0xfffffffe, "abc"), say(1, "d"), say(2, "e")), [
    "1 client abc",
    "1 client d",
    "1 client e",
  ]);
  assertEquals(story(say(5, "ab"), say(6, "x"), say(7, "c")), ["1 client ab", "1 client c"]); // A probe.
});

Deno.test("Streams tell which bytes are not in the capture", () => {
  assertEquals(story(say(1, "ab"), say(5, "ef")), ["1 client ab", "1 client -2", "1 client ef"]);
  assertEquals(story({ ...say(1, "abcd"), captured: 3 }, say(5, "e")), [
    "1 client abc",
    "1 client -1",
    "1 client e",
  ]);
  assertEquals(story(say(1, "ab"), { seq: 5, flags: "F" }), [
    "1 client ab",
    "1 client -2",
    "1 client closed",
  ]);
  // Two acknowledgments say that the peer has what the capture has not.
  const ack = { from: "server", seq: 1, ack: 7 } as const;
  assertEquals(story(say(1, "ab"), say(5, "ef"), ack, ack, say(3, "cd")), [
    "1 client ab",
    "1 client -2",
    "1 client ef",
  ]);
});

Deno.test("Streams tell ends, resets, and a second connection between the same ports", () => {
  const open = (seq: number): SegmentSpec[] => [
    { seq, flags: "S" },
    { from: "server", seq: 100, ack: seq + 1, flags: "S" },
  ];
  assertEquals(
    story(
      ...open(0),
      say(1, "a"),
      { from: "server", seq: 101, ack: 2, bytes: utf8("b") },
      {
        seq: 2,
        ack: 102,
        flags: "F",
      },
      { from: "server", seq: 102, ack: 3, flags: "F" },
      ...open(9000),
      say(9001, "c"),
      {
        from: "server",
        seq: 101,
        flags: "R",
      },
    ),
    [
      "1 client a",
      "1 server b",
      "1 client closed",
      "1 server closed",
      "2 client c",
      "2 server reset",
    ],
  );
  // Without an end between, and seen first from the server's side.
  assertEquals(story(open(0)[1], say(1, "a"), ...open(9000), say(9001, "b")), [
    "1 client a",
    "2 client b",
  ]);
});

Deno.test("Streams take nothing that comes late for a new connection, but an opening", () => {
  const ends: SegmentSpec[] = [
    { seq: 0, flags: "S" },
    say(1, "a"),
    { seq: 2, flags: "F" },
    { from: "server", seq: 50, ack: 3, flags: "F" },
  ];
  const told = ["1 client a", "1 client closed", "1 server closed"];
  assertEquals(story(...ends, { seq: 3, ack: 51 }, say(1, "a"), ends[3]), told);
  assertEquals(story({ from: "server", seq: 9, ack: 1 }, ...ends), told); // A bare acknowledgment.
  assertEquals(story(...ends, { seq: 900, flags: "S" }, say(901, "b")), [...told, "2 client b"]);
});

Deno.test("Streams know the server by its opening, by the options, or by its port", () => {
  const serverOf = (segment: SegmentSpec, options: StreamsOptions = {}) => {
    const { stream } = new Streams(options).add(packetOf(segment))[0];
    return [stream.server, stream.begins];
  };
  const answer = { from: "server", seq: 1, bytes: utf8("x") } as const;
  assertEquals(serverOf(say(1, "x")), ["10.0.0.2:7000", false]);
  assertEquals(serverOf(answer), ["10.0.0.2:7000", false]);
  const isServer = (end: string) => end.endsWith(":40000");
  assertEquals(serverOf(answer, { isServer }), ["10.0.0.1:40000", false]);
  assertEquals(serverOf({ seq: 1, flags: "SF" }, { isServer }), ["10.0.0.2:7000", true]);
  const none = new Streams({ accepts: () => false });
  assertEquals(none.add(packetOf(say(1, "x"))), []);
});

Deno.test("Streams come out the same however segments were cut, repeated and swapped", () => {
  fc.assert(fc.property(
    fc.uint8Array({ minLength: 1, maxLength: 300 }),
    fc.array(fc.tuple(fc.nat(299), fc.integer({ min: 1, max: 80 })), { maxLength: 40 }),
    fc.nat(0xffffffff),
    (bytes, extra, first) => {
      const pieces: [number, number][] = extra.map(([at, size]) => [at % bytes.length, size]);
      for (let at = 0; at < bytes.length; at += 37) pieces.push([at, 37]);
      pieces.sort(([a, size], [b]) => (a * size) % 7 - b % 5);
      const streams = new Streams();
      const events = streams.add(packetOf({ seq: (first - 1) >>> 0, flags: "S" }));
      for (const [at, size] of pieces) {
        const piece = bytes.subarray(at, at + size);
        events.push(...streams.add(packetOf({ seq: (first + at) >>> 0, bytes: piece })));
      }
      events.push(...streams.end());
      assertEquals(events.filter(({ missing }) => missing !== undefined), []);
      assertEquals(events.pop()?.isLast, true);
      assertEquals(concat(events.map((event) => event.bytes!)), new Uint8Array(bytes));
    },
  ));
});

function packetOf(spec: SegmentSpec): Packet {
  const bytes = ip4(spec);
  return { time: 0, linkType: 101, bytes, wireBytes: bytes.length };
}
