/** The encrypted side of a TLS connection: a socket as a stream of Node. */

import { builtin } from "../../internal/runtime/builtin.ts";
import { errors } from "../../internal/runtime/errors.ts";
import type { StreamSocket, TcpSocket } from "../../internal/runtime/stream_socket.ts";
import { writeAll } from "../../internal/bytes.ts";
import { prepare, type VanishingPeer } from "../acknowledgments.ts";

const { Duplex } = builtin("node:stream");

/** A pending read occupies its block, so an idle connection waits with a small block. */
const MIN_BLOCK_BYTES = 2 * 1024;
const MAX_BLOCK_BYTES = 64 * 1024;
const BLOCK_STEP = 8;
/** How many of the first bytes are kept, to guess the protocol of a peer that does not speak TLS. */
const FIRST_BYTES = 16;

/** A socket, and what is known about it already. */
export interface Wire {
  readonly conn: StreamSocket;
  /** Notices a peer that has vanished. */
  readonly watch: VanishingPeer | undefined;
  /** Chunks that were read from the socket, or are being read, before the engine reads itself. */
  readonly ahead?: readonly (Uint8Array | Promise<Uint8Array | undefined>)[];
}

/** A TCP socket from which nothing was read. */
export function wireOf(conn: TcpSocket): Wire {
  return { conn, watch: prepare(conn) };
}

/**
 * A stream that reads from its socket only when it is told to. Deno's TLS engine takes all that a
 * socket gives, even if much waits to be read already. So the engine gets one read at a time.
 */
export class CipherStream extends Duplex {
  /** The first bytes that the peer sent. */
  first: Uint8Array = new Uint8Array(0);
  readonly #conn: StreamSocket;
  readonly #watch: VanishingPeer | undefined;
  readonly #ahead: (Uint8Array | Promise<Uint8Array | undefined>)[];
  #block = new Uint8Array(MIN_BLOCK_BYTES);

  constructor({ conn, watch, ahead = [] }: Wire) {
    super({ allowHalfOpen: true, emitClose: true });
    this.#conn = conn;
    this.#watch = watch;
    this.#ahead = [...ahead];
  }

  /** Reads once, and passes the bytes on. Resolves to false at the end. */
  async feed(): Promise<boolean> {
    const ahead = this.#ahead.shift();
    const chunk = ahead === undefined ? await this.#read() : await ahead;
    if (chunk === undefined) return false;
    if (this.destroyed) return true;
    if (this.first.length < FIRST_BYTES) {
      this.first = Uint8Array.from([...this.first, ...chunk.subarray(0, FIRST_BYTES)])
        .subarray(0, FIRST_BYTES);
    }
    this.push(chunk);
    if (ahead === undefined) this.#resize(chunk.length);
    return true;
  }

  async #read(): Promise<Uint8Array | undefined> {
    try {
      const bytes = await this.#conn.read(this.#block);
      this.#watch?.heard();
      return bytes === null ? undefined : this.#block.subarray(0, bytes);
    } catch (error) {
      throw this.#watch?.reasonFor(error) ?? error;
    }
  }

  #resize(bytes: number): void {
    const { length } = this.#block;
    const wanted = bytes === length
      ? Math.min(length * BLOCK_STEP, MAX_BLOCK_BYTES)
      : bytes < length / BLOCK_STEP
      ? Math.max(length / BLOCK_STEP, MIN_BLOCK_BYTES)
      : length;
    // The engine has decrypted the block, unless the chunk still waits in this stream.
    if (wanted !== length || this.readableLength > 0) this.#block = new Uint8Array(wanted);
  }

  /** Resolves when everything was written. */
  flushed(): Promise<void> {
    return new Promise((resolve, reject) => {
      // Node's engine has ended it then.
      if (this.writableFinished) return resolve();
      if (this.writableEnded) return void this.once("finish", resolve);
      this.write(new Uint8Array(0), (error) => error ? reject(error) : resolve());
    });
  }

  /** Does nothing: `feed()` reads. */
  override _read(): void {}

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    this.#watch?.wrote();
    writeAll(this.#conn, chunk).then(() => done(), done);
  }

  /** Does nothing: TLS tells the end, and the socket stays open for what the peer still sends. */
  override _final(done: (error?: Error | null) => void): void {
    done();
  }

  /** Does nothing: the engine would close the socket before its alert is sent. `release()` closes. */
  override destroy(): this {
    return this;
  }

  /** Closes the socket. Never throws; a second call does nothing. */
  release(): void {
    super.destroy();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#watch?.heard();
    try {
      this.#conn.close();
    } catch (cause) {
      // A failure has closed it already.
      if (!(cause instanceof errors.BadResource)) throw cause;
    }
    done(error);
  }
}
