/** The conversation with a proxy, before it passes bytes on. */

import { ProxyError } from "../../errors.ts";
import { writeAll } from "../../internal/bytes.ts";
import type { TcpSocket } from "../../internal/runtime/stream_socket.ts";
import type { Proxy } from "../proxy.ts";

/**
 * Requests to a proxy and its replies. Never reads more bytes than it is asked for, because the
 * next byte may come from the destination already.
 */
export class Dialogue {
  /** The proxy at the other end. */
  readonly proxy: Proxy;
  readonly #conn: TcpSocket;

  /** Starts on a new connection to the proxy. */
  constructor(proxy: Proxy, conn: TcpSocket) {
    this.proxy = proxy;
    this.#conn = conn;
  }

  /** Writes all bytes. */
  async send(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#conn, bytes);
  }

  /** Reads exactly `count` bytes. Rejects if the proxy ends before. */
  async receive(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count;) {
      const read = await this.#conn.read(bytes.subarray(at));
      if (read === null) throw this.error("closed the connection instead of answering");
      at += read;
    }
    return bytes;
  }

  /** An error that says what the proxy did. */
  error(what: string): ProxyError {
    return new ProxyError(this.proxy.name, what);
  }
}
