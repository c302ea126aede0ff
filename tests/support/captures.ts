/** Captured packets for tests, built byte by byte. */

import { concat } from "@std/bytes";
import { hex } from "./bytes.ts";

/** A TCP segment to be captured; client and server are 10.0.0.1:40000 and 10.0.0.2:7000. */
export interface SegmentSpec {
  from?: "client" | "server";
  seq: number;
  ack?: number;
  flags?: string;
  bytes?: Uint8Array;
  /** The port of the server; 7000 by default. */
  port?: number;
  /** How many bytes of it are captured. */
  captured?: number;
}

const FLAGS: Record<string, number> = { F: 1, S: 2, R: 4, P: 8, A: 16 };

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 255);
}

function u32(value: number, little = false): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, little);
  return bytes;
}

/** A TCP segment without what carries it. */
export function tcp(
  { from = "client", seq, ack, flags = "", bytes, port = 7000 }: SegmentSpec,
): Uint8Array {
  const ports = from === "client" ? [40000, port] : [port, 40000];
  let bits = ack === undefined ? 0 : 16;
  for (const flag of flags) bits |= FLAGS[flag];
  return concat([
    ...ports.map(u16),
    u32(seq),
    u32(ack ?? 0),
    Uint8Array.of(5 << 4, bits),
    hex("ffff 0000 0000"),
    bytes ?? new Uint8Array(0),
  ]);
}

/** A connection: both ends begin it, each chunk is a segment of its end, and both end it. */
export function conversation(
  chunks: readonly (readonly [from: "client" | "server", bytes: Uint8Array])[],
  port = 7000,
): SegmentSpec[] {
  const next = { client: 1, server: 101 };
  const segments = chunks.map(([from, bytes]): SegmentSpec => {
    const segment = { from, seq: next[from], ack: next[other(from)], bytes, port };
    next[from] += bytes.length;
    return segment;
  });
  return [
    { seq: 0, flags: "S", port },
    { from: "server", seq: 100, ack: 1, flags: "S", port },
    ...segments,
    { seq: next.client, ack: next.server, flags: "F", port },
    { from: "server", seq: next.server, ack: next.client + 1, flags: "F", port },
  ];
}

function other(end: "client" | "server"): "client" | "server" {
  return end === "client" ? "server" : "client";
}

/** An IPv4 packet with a segment. */
export function ip4(spec: SegmentSpec): Uint8Array {
  const body = tcp(spec);
  const addresses = [hex("0a000001"), hex("0a000002")];
  if (spec.from === "server") addresses.reverse();
  return concat([
    hex("4500"),
    u16(20 + body.length),
    hex("0000 4000 40 06 0000"),
    ...addresses,
    body,
  ]);
}

/** An IPv6 packet with a segment, behind extension headers: `next` is the type of the first. */
export function ip6(spec: SegmentSpec, next = 6, extensions = new Uint8Array(0)): Uint8Array {
  const body = concat([extensions, tcp(spec)]);
  return concat([
    hex("60000000"),
    u16(body.length),
    Uint8Array.of(next, 64),
    hex("20010db8000000000000000000000001 00000000000000000000000000000001"),
    body,
  ]);
}

/** A pcap file. */
export function pcap(
  linkType: number,
  packets: { bytes: Uint8Array; captured?: number }[],
  { little = true, nanoseconds = false } = {},
): Uint8Array {
  const w = (value: number) => u32(value, little);
  const version = little ? hex("0200 0400") : hex("0002 0004");
  const header = [w(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4), version, w(0), w(0), w(65535)];
  const records = packets.flatMap(({ bytes, captured = bytes.length }, index) => [
    w(1_700_000_000),
    w(index * (nanoseconds ? 1_000_000 : 1_000)),
    w(captured),
    w(bytes.length),
    bytes.subarray(0, captured),
  ]);
  return concat([...header, w(linkType), ...records]);
}

/** A pcapng file, with blocks that readers skip, and an interface that counts in nanoseconds. */
export function pcapng(linkType: number, packets: Uint8Array[], little = true): Uint8Array {
  const w = (value: number) => u32(value, little);
  const half = (value: number) => little ? u16(value).reverse() : u16(value);
  const block = (type: number, ...parts: Uint8Array[]) => {
    const body = concat(parts);
    const padding = new Uint8Array((4 - body.length % 4) % 4);
    const length = w(12 + body.length + padding.length);
    return concat([w(type), length, body, padding, length]);
  };
  return concat([
    block(0x0a0d0d0a, w(0x1a2b3c4d), half(1), half(0), w(0xffffffff), w(0xffffffff)),
    block(0x0bad, hex("0102030405")),
    block(1, half(linkType), half(0), w(0), half(9), half(1), hex("09 000000"), half(0), half(0)),
    ...packets.map((bytes, index) => {
      const ticks = 1_700_000_000_000_000_000n + BigInt(index) * 1_000_000n;
      const stamp = [w(Number(ticks >> 32n)), w(Number(ticks & 0xffffffffn))];
      return block(6, w(0), ...stamp, w(bytes.length), w(bytes.length), bytes);
    }),
  ]);
}
