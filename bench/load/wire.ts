/**
 * What the load sends and expects, made ahead of time so that it costs next to nothing while it runs.
 * All servers get it from the same program. The WebSocket handshake and frames (RFC 6455) are written
 * here by hand, because a `ws` client costs about as much as the server that is to be measured, and
 * would halve what is seen of it.
 */

import { writeAll } from "../../internal/bytes.ts";

/**
 * What a server speaks: a 32-bit length before each message, WebSocket, or notifications of so many bytes
 * in messages with such a length (docs/requests.md), or events `m` of Socket.IO with a text of so many bytes.
 */
export type Wire = "u32be" | "ws" | "notify" | "sio";

/** HELLO and a NOTIFY to `ready`, and the beginning of a NOTIFY of bytes to `moved`. */
const HELLO = Uint8Array.fromHex(
  "00000011" + "004c57525101e807808080028080800801" + "00000007" + "01057265616479",
);
const NOTIFY = Uint8Array.fromHex("41056d6f766564");

/** An event of Socket.IO's around a text. */
const EVENT_BYTES = '42["m",""]'.length;

/** One message's frame, as a client sends it. */
export function clientFrame(wire: Wire, size: number): Uint8Array<ArrayBuffer> {
  if (wire === "sio") return maskedText(`42["m","${"a".repeat(size)}"]`);
  if (wire === "notify") {
    const frame = clientFrame("u32be", NOTIFY.length + size);
    frame.set(NOTIFY, 4);
    return frame;
  }
  const header = wire === "ws" ? maskedHeader(size) : [size >>> 24, size >>> 16, size >>> 8, size];
  const frame = new Uint8Array(header.length + size).fill(97);
  frame.set(header);
  return frame;
}

/** The size of one message's frame, as a server sends it. */
export function serverFrameBytes(wire: Wire, size: number): number {
  if (wire === "sio") return serverFrameBytes("ws", EVENT_BYTES + size);
  if (wire === "ws") return size + lengthBytes(size).length + 1;
  return size + 4 + (wire === "notify" ? NOTIFY.length : 0);
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

function maskedHeader(size: number, opcode = 0x2): number[] {
  const [first, ...rest] = lengthBytes(size);
  return [0x80 | opcode, 0x80 | first, ...rest, ...MASK];
}

function maskedText(text: string): Uint8Array<ArrayBuffer> {
  const masked = new TextEncoder().encode(text).map((byte, i) => byte ^ MASK[i % MASK.length]);
  return new Uint8Array([...maskedHeader(text.length, 0x1), ...masked]);
}

function lengthBytes(size: number): number[] {
  if (size < 126) return [size];
  if (size < 65_536) return [126, size >>> 8, size & 0xff];
  return [127, 0, 0, 0, 0, size >>> 24, size >>> 16 & 0xff, size >>> 8 & 0xff, size & 0xff];
}

const upgrade = (path: string) =>
  new TextEncoder().encode(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
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
  if (wire === "notify") await writeAll(conn, HELLO);
  if (wire === "sio") {
    await writeAll(conn, upgrade("/socket.io/?EIO=4&transport=websocket"));
    await readUntil(conn, '"pingInterval"');
    await writeAll(conn, maskedText("40"));
    await readUntil(conn, "40{");
  }
  if (wire !== "ws") return { conn, early: 0 };
  await writeAll(conn, upgrade("/"));
  return { conn, early: await readUntil(conn, "\r\n\r\n") };
}

/** Reads until something has come; returns how many bytes came behind it. */
async function readUntil(conn: Deno.TcpConn, end: string): Promise<number> {
  const chunk = new Uint8Array(4096);
  for (let used = 0;;) {
    const bytes = await conn.read(chunk.subarray(used));
    if (bytes === null) throw new Error("Cannot shake hands: the server closed");
    used += bytes;
    const at = new TextDecoder("latin1").decode(chunk.subarray(0, used)).indexOf(end);
    if (at >= 0) return used - at - end.length;
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
