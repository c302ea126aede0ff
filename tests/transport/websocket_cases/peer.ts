/** The other end of a case: a socket that writes any frames, right or wrong, and tells what it gets. */

import { concat } from "@std/bytes";
import { createHash } from "node:crypto";
import { writeAll } from "../../../internal/bytes.ts";
import { cutAt } from "../../support/bytes.ts";

export const CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;

/** One frame to send. */
export interface Frame {
  readonly opcode: number;
  readonly body: Uint8Array;
  /** @default true */
  readonly isFinal?: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly reserved?: number;
}

/** A message or a pong, as it came. */
export type Got = readonly [kind: "text" | "bytes" | "pong", body: Uint8Array];

/** What came from the side under test. */
export interface Outcome {
  readonly got: Got[];
  /** The code of its Close frame: 1005 where it has none, undefined where no Close frame came. */
  readonly code: number | undefined;
  readonly reason: Uint8Array;
}

const KEY = [0x37, 0xfa, 0x21, 0x3d];

/** A frame's bytes, masked as a client's if `masks`. */
export function bytesOf({ opcode, body, isFinal = true, reserved = 0 }: Frame, masks: boolean) {
  const { length } = body;
  const first = (isFinal ? 0x80 : 0) | reserved << 4 | opcode;
  const mask = masks ? 0x80 : 0;
  const header = new DataView(new ArrayBuffer(length < 126 ? 2 : length < 65_536 ? 4 : 10));
  header.setUint8(0, first);
  header.setUint8(1, mask | (length < 126 ? length : length < 65_536 ? 126 : 127));
  if (length >= 65_536) header.setBigUint64(2, BigInt(length));
  else if (length >= 126) header.setUint16(2, length);
  const head = new Uint8Array(header.buffer);
  return masks ? concat([head, Uint8Array.from(KEY), masked(body)]) : concat([head, body]);
}

function masked(body: Uint8Array): Uint8Array {
  const copy = new Uint8Array(body);
  for (let i = 0; i < copy.length; i++) copy[i] ^= KEY[i & 3];
  return copy;
}

/** Pieces of so many bytes. */
export function chopped(bytes: Uint8Array, size: number): Uint8Array[] {
  const places = Array.from(
    { length: Math.ceil(bytes.length / size) - 1 },
    (_, i) => (i + 1) * size,
  );
  return cutAt(bytes, ...places);
}

/** One end of a WebSocket after its handshake. */
export class CasePeer implements Disposable {
  readonly #conn: Deno.TcpConn;
  readonly #masks: boolean;
  #buffer = new Uint8Array(0);
  /** What the other end answered to the extensions that were offered. */
  readonly extensions: string;

  private constructor(conn: Deno.TcpConn, masks: boolean, extensions: string, rest: Uint8Array) {
    conn.setNoDelay(true);
    this.#conn = conn;
    this.#masks = masks;
    this.#buffer = rest.slice();
    this.extensions = extensions;
  }

  /** A client of the server under test. */
  static async connect(port: number, offer?: string): Promise<CasePeer> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    const extensions = offer === undefined ? "" : `Sec-WebSocket-Extensions: ${offer}\r\n`;
    await writeText(
      conn,
      "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${extensions}\r\n`,
    );
    const { head, rest } = await readHead(conn);
    if (!head.startsWith("HTTP/1.1 101 ")) throw new Error(head);
    return new CasePeer(conn, true, fieldOf(head, "Sec-WebSocket-Extensions"), rest);
  }

  /** A server for the client under test. Picks one of the extensions that it offers. */
  static async accept(conn: Deno.TcpConn, pick?: string): Promise<CasePeer> {
    const { head, rest } = await readHead(conn);
    const key = fieldOf(head, "Sec-WebSocket-Key");
    const proof = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    const extensions = pick === undefined ? "" : `Sec-WebSocket-Extensions: ${pick}\r\n`;
    await writeText(
      conn,
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${proof.digest("base64")}\r\n${extensions}\r\n`,
    );
    return new CasePeer(conn, false, fieldOf(head, "Sec-WebSocket-Extensions"), rest);
  }

  /** Writes frames: each on its own, all at once, or in pieces of so many bytes. */
  async send(frames: readonly Frame[], chop: "frames" | "whole" | number): Promise<void> {
    const bytes = frames.map((frame) => bytesOf(frame, this.#masks));
    if (chop === "frames") { for (const frame of bytes) await writeAll(this.#conn, frame); }
    else if (chop === "whole") await writeAll(this.#conn, concat(bytes));
    else for (const piece of chopped(concat(bytes), chop)) await writeAll(this.#conn, piece);
  }

  /** Writes bytes as they are. */
  write(bytes: Uint8Array): Promise<void> {
    return writeAll(this.#conn, bytes);
  }

  /** The next frame; undefined at the end. */
  async receive(): Promise<{ first: number; body: Uint8Array } | undefined> {
    if (!await this.#fill(2)) return undefined;
    const [first, second] = this.#take(2);
    let length = second & 0x7f;
    if (length >= 126) {
      const bytes = length === 126 ? 2 : 8;
      await this.#fill(bytes);
      length = this.#take(bytes).reduce((sum, byte) => sum * 256 + byte, 0);
    }
    const isMasked = (second & 0x80) !== 0;
    if (isMasked === this.#masks) throw new Error("a mask is missing, or is one too many");
    await this.#fill(length + (isMasked ? 4 : 0));
    const key = isMasked ? this.#take(4) : [0, 0, 0, 0];
    const body = this.#take(length).slice();
    if (isMasked) { for (let i = 0; i < length; i++) body[i] ^= key[i & 3]; }
    return { first, body };
  }

  async #fill(count: number): Promise<boolean> {
    if (this.#buffer.length >= count) return true;
    const parts = [this.#buffer];
    for (let missing = count - this.#buffer.length; missing > 0;) {
      const chunk = new Uint8Array(Math.max(missing, 65_536));
      const read = await this.#conn.read(chunk).catch(() => null); // A reset is an end too.
      if (read === null) return false;
      parts.push(chunk.subarray(0, read));
      missing -= read;
    }
    this.#buffer = concat(parts);
    return true;
  }

  #take(count: number): Uint8Array {
    const taken = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return taken;
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}

function fieldOf(head: string, name: string): string {
  return new RegExp(`^${name}: (.*?)\r$`, "im").exec(head)?.[1] ?? "";
}

async function writeText(conn: Deno.Conn, text: string): Promise<void> {
  await writeAll(conn, new TextEncoder().encode(text));
}

async function readHead(conn: Deno.Conn): Promise<{ head: string; rest: Uint8Array }> {
  const bytes = new Uint8Array(4096);
  for (let length = 0;;) {
    const read = await conn.read(bytes.subarray(length));
    if (read === null) throw new Error("no whole head came");
    length += read;
    const head = new TextDecoder("latin1").decode(bytes.subarray(0, length));
    const end = head.indexOf("\r\n\r\n");
    if (end >= 0) return { head: head.slice(0, end + 4), rest: bytes.subarray(end + 4, length) };
  }
}
