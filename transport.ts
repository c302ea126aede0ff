/**
 * Transports, and endpoints. An endpoint says where to listen or to connect, as a URL.
 *
 * @module
 */

import type { EndInfo, Framing } from "./codec.ts";
import type { Memory } from "./internal/memory.ts";
import type { StartTlsOptions } from "./transport/options.ts";

export * from "./transport/endpoint.ts";
export type { Memory } from "./internal/memory.ts";
export type * from "./transport/options.ts";

/**
 * One open stream of bytes to a peer, both ways. A transport only moves chunks. The connection that
 * uses it does the framing, the waiting and the limits.
 *
 * - Bytes arrive in order and once, or `read()` rejects.
 * - The caller has at most one `read()` and one `write()` under way at a time.
 * - After `close()` a pending call rejects or resolves soon, and nothing else happens.
 * - Everything else that a transport can do is in `abilities`, and nowhere else. A transport that wraps
 *   another one passes on the other's `abilities` object as a whole, not member by member. So it also
 *   passes on abilities that it does not know.
 */
export interface Transport {
  /** What this transport can do in addition to moving chunks; `{}` if nothing. */
  readonly abilities: TransportAbilities;
  /** The address of this end, such as `127.0.0.1:1234`. */
  readonly local: string;
  /** The address of the peer. */
  readonly remote: string;
  /**
   * The next chunk. It belongs to the caller. Undefined at the end of the stream. A chunk is empty only
   * if it is an empty message.
   *
   * @param readTarget Gives a buffer to read into, or undefined when any other memory will do. Its
   * argument is how many bytes would be read otherwise. A transport that reads into that buffer gives
   * the start of the buffer as the chunk. A transport need not call it.
   */
  read(readTarget?: (bytes: number) => Uint8Array | undefined): Promise<Uint8Array | undefined>;
  /**
   * Writes the start of a chunk. Resolves to how many bytes were taken: at least one, unless the
   * chunk is empty. The transport must not change the chunk. `endsMessage` says that the chunk ends
   * where a message ends.
   */
  write(chunk: Uint8Array, endsMessage?: boolean): Promise<number>;
  /** Tells the peer that nothing more will be written, and why if the transport can carry that. */
  closeWrite(info?: EndInfo): Promise<void>;
  /** Ends both directions at once. Never throws; a second call does nothing. */
  close(error?: unknown): void;
}

/**
 * What a transport can do in addition to moving chunks. `dropped` and `ended` are getters, because
 * they change while the transport is open; the other members do not change. So pass on the object
 * itself, not a copy of it.
 */
export interface TransportAbilities {
  /** The transport's own framing. It replaces any framing that was chosen. */
  readonly framing?: Framing;
  /**
   * Whether each end is told that the other end has ended. False for UDP.
   *
   * @default true
   */
  readonly tellsEnd?: boolean;
  /** The identity that the peer has proved. */
  readonly peer?: PeerIdentity | undefined;
  /**
   * Encrypts the stream from now on. A read that is under way, and every later one, gives what was
   * encrypted. Nothing may be written until the promise resolves. Then `peer` has the identity.
   * Rejects if the handshake fails: close the transport then. After a `TypeError` nothing has changed.
   */
  startTls?: ((start: TlsStart) => Promise<void>) | undefined;
  /** The subprotocol that both ends agreed on, if there is one. Only over WebSocket. */
  readonly subprotocol?: string | undefined;
  /**
   * Who answered in the place of the peer, from its port but another address, where that may be. What
   * came from there was dropped.
   */
  readonly stranger?: string | undefined;
  /** How many messages arrived so far and were dropped, because too many waited. Only over UDP. */
  readonly dropped?: number;
  /** What the peer said about its end. Known after `read()` gave undefined. */
  readonly ended?: EndInfo | undefined;
  /** The memory for chunks that are read. The decoder gives their blocks back to it. */
  readonly chunks?: Memory;
  /**
   * The memory in which frames are assembled. The blocks go back to it when they were written.
   *
   * @default blocks that all connections share
   */
  readonly blocks?: Memory;
}

/** How a stream becomes encrypted. */
export interface TlsStart {
  /** Which end this is, and its certificates. */
  readonly options: StartTlsOptions;
  /** The name that the server's certificate must have, unless the options have another one. */
  readonly hostname: string | undefined;
  /** Chunks of the handshake that were read already. */
  readonly ahead: readonly Uint8Array[];
  /** Resolves when everything was written that is not to be encrypted. */
  readonly flushed: Promise<void>;
  /** When it is aborted, the handshake gives up. */
  readonly signal: AbortSignal;
}

/** The identity that a peer has proved by its certificate. */
export interface PeerIdentity {
  /** The certificate's common name; if there is none, its first alternative name. */
  readonly name: string;
  /** Its alternative names, such as `DNS:example.com`. */
  readonly altNames: readonly string[];
  /** The common name of the certificate's issuer. */
  readonly issuer: string;
  /** SHA-256 of the certificate, in hex with colons. */
  readonly fingerprint: string;
  /** When the certificate expires, in milliseconds since 1970. */
  readonly expiresAt: number;
}
