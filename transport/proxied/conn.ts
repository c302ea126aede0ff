/** A socket from a proxy, as if it came from the proxy's client. */

import type { TcpAddress, TcpSocket } from "../../internal/runtime/stream_socket.ts";

/**
 * A socket whose other end is said to be another one. What was read already is read first. Everything
 * else is that of the socket.
 */
export class ProxiedConn implements TcpSocket {
  /** The socket itself, whose ends are those that the system knows. */
  readonly inner: TcpSocket;
  readonly remoteAddr: TcpAddress;
  #rest: Uint8Array;

  /** `rest` is what was read already. */
  constructor(inner: TcpSocket, remoteAddr: TcpAddress, rest: Uint8Array) {
    this.inner = inner;
    this.remoteAddr = remoteAddr;
    this.#rest = rest;
  }

  get localAddr(): TcpAddress {
    return this.inner.localAddr;
  }

  read(target: Uint8Array): Promise<number | null> {
    if (this.#rest.length === 0) return this.inner.read(target);
    const taken = this.#rest.subarray(0, target.length);
    target.set(taken);
    this.#rest = this.#rest.subarray(taken.length);
    return Promise.resolve(taken.length);
  }

  write(chunk: Uint8Array): Promise<number> {
    return this.inner.write(chunk);
  }

  closeWrite(): Promise<void> {
    return this.inner.closeWrite();
  }

  close(): void {
    this.inner.close();
  }

  setNoDelay(noDelay?: boolean): void {
    this.inner.setNoDelay(noDelay);
  }

  setKeepAlive(keepAlive?: boolean): void {
    this.inner.setKeepAlive(keepAlive);
  }
}
