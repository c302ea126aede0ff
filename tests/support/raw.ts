/** A peer without Lengthwise: a socket and literal bytes. */

import { createConnection, type Socket } from "node:net";
import { connect } from "../../client.ts";
import type { ConnectOptions } from "../../client.ts";
import type { Connection } from "../../connection.ts";
import { writeAll } from "../../internal/bytes.ts";
import type { TcpSocket } from "../../internal/runtime/stream_socket.ts";
import { parseEndpoint, type TcpEndpoint } from "../../transport.ts";

/** One end of a TCP connection, bytes only. */
export class RawPeer implements Disposable {
  readonly #conn: TcpSocket;

  constructor(conn: TcpSocket) {
    this.#conn = conn;
  }

  /** Connects to an endpoint. */
  static async connect(endpoint: string): Promise<RawPeer> {
    const { hostname, port } = parseEndpoint(endpoint) as TcpEndpoint;
    return new RawPeer(await Deno.connect({ hostname, port }));
  }

  /** Its own address, which is the other side's `remote`. */
  get address(): string {
    const { hostname, port } = this.#conn.localAddr;
    return `${hostname}:${port}`;
  }

  /** Writes all of it. */
  async send(bytes: Iterable<number> | string): Promise<void> {
    await writeAll(this.#conn, typeof bytes === "string" ? ascii(bytes) : Uint8Array.from(bytes));
  }

  /** Writes each byte on its own, and hands each to the network before the next. */
  async sendByteByByte(bytes: Iterable<number>): Promise<void> {
    this.#conn.setNoDelay(true);
    for (const byte of bytes) await this.#conn.write(Uint8Array.of(byte));
  }

  /** Exactly so many bytes; fewer only when the peer ends before that. */
  async receive(count: number): Promise<Uint8Array> {
    const all = new Uint8Array(count);
    let at = 0;
    while (at < count) {
      const read = await this.#conn.read(all.subarray(at));
      if (read === null) break;
      at += read;
    }
    return all.subarray(0, at);
  }

  /** Reads to the end; how many bytes there were. A reset is an end too. */
  async drain(): Promise<number> {
    const chunk = new Uint8Array(256 * 1024);
    let total = 0;
    try {
      for (let read; (read = await this.#conn.read(chunk)) !== null;) total += read;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    return total;
  }

  /** Half-closes. */
  async closeWrite(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** Closes without waiting. */
  close(): void {
    try {
      this.#conn.close();
    } catch {
      // It was closed before.
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A listener for connections under test. */
export class RawListener implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  /** Where it listens. */
  get endpoint(): string {
    return `tcp://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** The next peer. */
  async accept(): Promise<RawPeer> {
    return new RawPeer(await this.#listener.accept());
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

/** A connection and the raw peer at its other end. */
export interface RawPair<T> extends AsyncDisposable {
  readonly connection: Connection<T>;
  readonly peer: RawPeer;
}

/** Connects to a raw peer. Leaving the scope closes the peer first, then the connection. */
export async function rawPair<T = Uint8Array>(
  options: ConnectOptions<T> = {},
): Promise<RawPair<T>> {
  using listener = new RawListener();
  const [connection, peer] = await Promise.all([
    connect(listener.endpoint, options),
    listener.accept(),
  ]);
  return {
    connection,
    peer,
    async [Symbol.asyncDispose]() {
      peer.close();
      await connection.close();
    },
  };
}

/** Connects, and gives a socket that can be reset: `resetAndDestroy()` closes it with RST. */
export function connectResettable(endpoint: string): Promise<Socket> {
  const { hostname, port } = parseEndpoint(endpoint) as TcpEndpoint;
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: hostname, port });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}

/** The bytes of an ASCII string. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** `bytes` bytes, each the low part of its position plus `seed`. */
export function pattern(bytes: number, seed = 0): Uint8Array {
  const all = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at++) all[at] = at + seed;
  return all;
}
