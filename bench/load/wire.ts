/**
 * What the load sends and expects, made ahead of time so that it costs next to nothing while it runs.
 * All servers get it from the same program. The WebSocket handshake and frames (RFC 6455) are written
 * here by hand, because a `ws` client costs about as much as the server that is to be measured, and
 * would halve what is seen of it.
 */

import { writeAll } from "../../internal/bytes.ts";

/** What a server speaks: a 32-bit length before each message, or WebSocket. */
export type Wire = "u32be" | "ws";

/** One message's frame, as a client sends it. */
export function clientFrame(wire: Wire, size: number): Uint8Array<ArrayBuffer> {
  const header = wire === "ws" ? maskedHeader(size) : [size >>> 24, size >>> 16, size >>> 8, size];
  const frame = new Uint8Array(header.length + size).fill(97);
  frame.set(header);
  return frame;
}

/** The size of one message's frame, as a server sends it. */
export function serverFrameBytes(wire: Wire, size: number): number {
  return size + (wire === "ws" ? lengthBytes(size).length + 1 : 4);
}

/** Frames side by side, as many as fit but at least one. */
export function block(wire: Wire, size: number, frames: number): Uint8Array<ArrayBuffer> {
  const frame = clientFrame(wire, size);
  const block = new Uint8Array(frames * frame.length);
  for (let at = 0; at < block.length; at += frame.length) block.set(frame, at);
  return block;
}

/** Any key but zero: the server has to unmask. */
const MASK = [0x37, 0xfa, 0x21, 0x3d];

function maskedHeader(size: number): number[] {
  const [first, ...rest] = lengthBytes(size);
  return [0x82, 0x80 | first, ...rest, ...MASK];
}

function lengthBytes(size: number): number[] {
  if (size < 126) return [size];
  if (size < 65_536) return [126, size >>> 8, size & 0xff];
  return [127, 0, 0, 0, 0, size >>> 24, size >>> 16 & 0xff, size >>> 8 & 0xff, size & 0xff];
}

const UPGRADE = new TextEncoder().encode(
  "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
);

/** A connection that is ready for frames, and how many bytes of frames came with the handshake. */
export interface Opened {
  readonly conn: Deno.TcpConn;
  readonly early: number;
}

/** Connects, and shakes hands where the wire wants it. */
export async function open(port: number, wire: Wire): Promise<Opened> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  if (wire === "u32be") return { conn, early: 0 };
  await writeAll(conn, UPGRADE);
  const chunk = new Uint8Array(4096);
  for (let used = 0;;) {
    const bytes = await conn.read(chunk.subarray(used));
    if (bytes === null) throw new Error("Cannot shake hands: the server closed");
    used += bytes;
    const end = new TextDecoder("latin1").decode(chunk.subarray(0, used)).indexOf("\r\n\r\n");
    if (end >= 0) return { conn, early: used - end - 4 };
  }
}

/** Says that nothing more will come; the server reads everything and then closes. */
export async function finish(conn: Deno.TcpConn, wire: Wire): Promise<void> {
  if (wire === "ws") await writeAll(conn, new Uint8Array([0x88, 0x80, ...MASK]));
  else await conn.closeWrite();
}

/** Reads and forgets until the end of the stream; returns how many bytes came. */
export async function drain(conn: Deno.TcpConn): Promise<number> {
  const chunk = new Uint8Array(256 * 1024);
  let bytes = 0;
  for (let n; (n = await conn.read(chunk)) !== null;) bytes += n;
  return bytes;
}
