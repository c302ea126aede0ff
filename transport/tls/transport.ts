/** A TLS connection as a transport, by `node:tls` over a socket. */

import type { TLSSocket } from "node:tls";
import { TlsError } from "../../errors.ts";
import type { PeerIdentity, Transport, TransportAbilities } from "../../transport.ts";
import { notHere, runtime } from "../../internal/runtime/runtime.ts";
import { turnEnd } from "../../internal/turn_end.ts";
import { endName } from "../conn.ts";
import { CipherStream, type Wire } from "./cipher_stream.ts";
import { CutError, type Handshake, handshakeError, streamError } from "./errors.ts";

/** How much is encrypted at a time. So the progress of a large write can be seen. */
const MAX_WRITE_BYTES = 256 * 1024;
/** How long the alert that refuses a peer may take to leave, in milliseconds. */
const ALERT_TIMEOUT = 250;

/**
 * Bun's engine takes all that it is given, before it was written. And it ends what it sends when the peer
 * has ended.
 */
const ENGINE_IS_BUNS = runtime.name === "Bun";
const HALF_CLOSED = "its TLS has ended both directions";

const CUT = "the peer ended without saying so (close_notify); what it sent may be cut short";
const GONE = "the peer ended within the handshake";

/** Makes the TLS engine over the encrypted stream, before the handshake. */
export type Engine = (cipher: CipherStream) => TLSSocket;

/** Options of a handshake. */
export interface HandshakeOptions {
  /** Makes the engine. */
  readonly engine: Engine;
  /** Which end this is, and which application protocols it knows. */
  readonly handshake: Omit<Handshake, "first">;
  /** Gives the peer's identity after the handshake. Throws if the peer is refused. */
  readonly check: (socket: TLSSocket) => PeerIdentity | undefined;
  /** When it is aborted, the handshake gives up. */
  readonly signal: AbortSignal;
}

/**
 * Does the handshake over a socket. Closes the socket if the handshake fails.
 *
 * @throws {TlsError} with the reason, or the signal's reason.
 */
export async function openTls(wire: Wire, options: HandshakeOptions): Promise<TlsTransport> {
  const { signal, check } = options;
  const transport = new TlsTransport(wire, options);
  const abort = () => transport.close();
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    await transport.handshake(check);
    return transport;
  } catch (cause) {
    signal.throwIfAborted();
    await transport.refuse();
    throw cause;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** An encrypted stream. Bytes from the peer are decrypted when they are read, not before. */
export class TlsTransport implements Transport {
  readonly local: string;
  readonly remote: string;
  readonly #cipher: CipherStream;
  readonly #socket: TLSSocket;
  readonly #about: Omit<Handshake, "first">;
  readonly #chunks: Uint8Array[] = [];
  #abilities: TransportAbilities = {};
  #state: "handshake" | "open" | "ended" | "failed" | "closed" = "handshake";
  #error: unknown;
  #feeding = false;
  #secured: PromiseWithResolvers<void> | undefined;
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  #writer: PromiseWithResolvers<number> | undefined;

  constructor(wire: Wire, { engine, handshake }: HandshakeOptions) {
    this.local = endName(wire.conn.localAddr);
    this.remote = endName(wire.conn.remoteAddr);
    this.#about = handshake;
    this.#cipher = new CipherStream(wire);
    this.#cipher.on("error", (error) => this.#fail(error));
    this.#socket = engine(this.#cipher);
    this.#socket.on(handshake.role === "server" ? "secure" : "secureConnect", () => this.#open());
    this.#socket.on("data", (chunk: Uint8Array) => this.#take(chunk));
    this.#socket.on("end", () => this.#end());
    this.#socket.on("error", (error) => this.#fail(error));
  }

  /** After the handshake they have the peer's identity. */
  get abilities(): TransportAbilities {
    return this.#abilities;
  }

  /** Does the handshake, and then checks the peer. */
  async handshake(check: (socket: TLSSocket) => PeerIdentity | undefined): Promise<void> {
    const { promise } = this.#secured = Promise.withResolvers();
    this.#feed();
    await promise;
    this.#abilities = { peer: check(this.#socket) };
  }

  #open(): void {
    if (this.#state !== "handshake") return;
    this.#state = "open";
    this.#secured?.resolve();
    this.#secured = undefined;
  }

  read(): Promise<Uint8Array | undefined> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) return Promise.resolve(chunk);
    if (this.#state === "ended") return Promise.resolve(undefined);
    if (this.#state !== "open") return Promise.reject(this.#error);
    this.#reader = Promise.withResolvers();
    const { promise } = this.#reader;
    this.#feed();
    return promise;
  }

  write(chunk: Uint8Array): Promise<number> {
    if (this.#state === "failed" || this.#state === "closed") return Promise.reject(this.#error);
    if (this.#state === "ended" && ENGINE_IS_BUNS) {
      return Promise.reject(notHere("tls:, after the peer's end, to send", HALF_CLOSED));
    }
    const piece = chunk.subarray(0, MAX_WRITE_BYTES);
    const writer = this.#writer = Promise.withResolvers<number>();
    this.#socket.write(piece, (error) => {
      if (error) writer.reject(this.#error ?? error);
      else if (ENGINE_IS_BUNS) {
        this.#cipher.flushed().then(
          () => writer.resolve(piece.length),
          (error) => writer.reject(this.#error ?? error),
        );
      } else writer.resolve(piece.length);
    });
    return writer.promise;
  }

  async closeWrite(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.end((error?: Error | null) => error ? reject(error) : resolve());
    });
    await this.#cipher.flushed();
  }

  close(): void {
    this.#stop("closed", new TlsError("the connection was closed"));
    this.#socket.destroy();
    this.#cipher.release();
  }

  /** Closes after the engine's alert, which tells the peer why, was sent. */
  async refuse(): Promise<void> {
    const timer = Promise.withResolvers<void>();
    const id = setTimeout(timer.resolve, ALERT_TIMEOUT);
    await Promise.race([this.#cipher.flushed().catch(() => {}), timer.promise]);
    clearTimeout(id);
    this.close();
  }

  /** Reads for the engine, until the handshake or the reader that waits is served. */
  async #feed(): Promise<void> {
    if (this.#feeding) return;
    this.#feeding = true;
    try {
      while (this.#secured !== undefined || this.#reader !== undefined) {
        const goesOn = await this.#cipher.feed();
        if (goesOn && !this.#socket.destroyed) continue;
        // The engine reports the result within this turn of the event loop.
        await turnEnd();
        if (!goesOn) {
          if (this.#state === "open") this.#fail(new CutError(CUT));
          else if (this.#state === "handshake") this.#fail(new CutError(GONE));
        }
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#feeding = false;
    }
  }

  #take(chunk: Uint8Array): void {
    // A Uint8Array and not a Buffer, because slice() of a Buffer does not copy.
    const bytes = new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength);
    if (this.#reader === undefined) this.#chunks.push(bytes);
    else this.#settleReader((reader) => reader.resolve(bytes));
  }

  #end(): void {
    if (this.#state === "handshake") this.#fail(new CutError(GONE));
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#settleReader((reader) => reader.resolve(undefined));
  }

  #fail(cause: unknown): void {
    const about = { ...this.#about, first: this.#cipher.first };
    const explain = this.#state === "handshake" ? handshakeError : streamError;
    this.#stop("failed", explain(cause, about));
  }

  #stop(state: "failed" | "closed", error: unknown): void {
    if (this.#state === "closed") return;
    this.#error ??= error;
    if (this.#state !== "ended" || state === "closed") this.#state = state;
    this.#secured?.reject(this.#error);
    this.#secured = undefined;
    this.#settleReader((reader) => reader.reject(this.#error));
    this.#writer?.reject(this.#error);
  }

  #settleReader(settle: (reader: PromiseWithResolvers<Uint8Array | undefined>) => void): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    settle(reader);
  }
}
