/** What is said to a proxy before it is out of the way. */

import { ProxyError } from "../../errors.ts";
import { writeAll } from "../../internal/bytes.ts";
import type { Proxy } from "../proxy.ts";

/**
 * Requests and replies, byte-exact: not one byte more is read than was asked for, because the next
 * one may already be the destination's.
 */
export class Dialogue {
  /** The proxy at the other end. */
  readonly proxy: Proxy;
  readonly #conn: Deno.TcpConn;

  /** Begins on a new connection to the proxy. */
  constructor(proxy: Proxy, conn: Deno.TcpConn) {
    this.proxy = proxy;
    this.#conn = conn;
  }

  /** Writes all of it. */
  async send(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#conn, bytes);
  }

  /** Exactly so many bytes. Rejects when the proxy ends before that. */
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
