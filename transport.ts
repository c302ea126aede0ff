/**
 * What a transport promises, and endpoints: where one listens or connects, written as a URL.
 *
 * @module
 */

import type { EndInfo, Framing } from "./codec.ts";
import type { Memory } from "./internal/memory.ts";

export * from "./transport/endpoint.ts";
export type { Memory } from "./internal/memory.ts";
export type * from "./transport/options.ts";

/**
 * One open stream of bytes to a peer, both ways. The connection above it does the framing, the
 * waiting and the limits; a transport only moves chunks.
 *
 * - Bytes arrive in order and once, or `read()` rejects.
 * - At most one `read()` and one `write()` are under way at a time.
 * - After `close()` a pending call rejects or resolves soon, and nothing else happens.
 * - What it can do beyond that is in `abilities`, and nowhere else. A transport that stands on another
 *   one gives the other's `abilities` as its own, as a whole and not member by member: then it speaks
 *   as the other does, also where there are abilities that it has never heard of.
 */
export interface Transport {
  /** What it can do, or brings along, that other transports may not; `{}` if nothing. */
  readonly abilities: TransportAbilities;
  /** The address of this end, such as `127.0.0.1:1234`. */
  readonly local: string;
  /** The address of the peer. */
  readonly remote: string;
  /**
   * The next chunk, which then belongs to the caller; undefined at the end, and after `closeWrite()`
   * where there is no end. Empty only where it is a message.
   *
   * @param readTarget Gives a buffer to read into, or undefined when any other memory will do. Its
   * argument is how many bytes would be read otherwise. A transport that reads into that buffer gives
   * the start of the buffer as the chunk. A transport need not call it.
   */
  read(readTarget?: (bytes: number) => Uint8Array | undefined): Promise<Uint8Array | undefined>;
  /**
   * Hands over the start of a chunk; resolves to how many bytes were taken, at least one unless the
   * chunk is empty. It must not change the chunk. `endsMessage` tells that a message ends where the
   * chunk does.
   */
  write(chunk: Uint8Array, endsMessage?: boolean): Promise<number>;
  /** Tells the peer that nothing more will be written, and why, where it has words for that. */
  closeWrite(info?: EndInfo): Promise<void>;
  /** Ends both directions at once, in error or not. Never throws; a second call does nothing. */
  close(error?: unknown): void;
}

/**
 * What a transport can do, or brings along, beyond moving chunks. All of it is the same for as long as
 * the transport is open, but for `dropped` and `ended`, which tell what has happened so far: they are
 * getters. So whoever passes abilities on passes the object itself, not a copy of it.
 */
export interface TransportAbilities {
  /** The framing that it brings, and that stands in the place of any other. */
  readonly framing?: Framing;
  /**
   * Whether each end is told when the other ends. False for UDP, where nobody is.
   *
   * @default true
   */
  readonly tellsEnd?: boolean;
  /** Who the peer proved to be. */
  readonly peer?: PeerIdentity | undefined;
  /** The subprotocol that both ends agreed on, where there is such a thing. */
  readonly subprotocol?: string | undefined;
  /** How many messages arrived so far and were dropped for want of room, where that may be. */
  readonly dropped?: number;
  /** What the peer said about its end, once `read()` gave undefined. */
  readonly ended?: EndInfo | undefined;
  /** Where the memory of chunks comes from that are read, and goes back to for further ones. */
  readonly chunks?: Memory;
  /**
   * Where the memory comes from in which frames are put together, and goes back to when it was written.
   *
   * @default blocks that all connections share
   */
  readonly blocks?: Memory;
}

/** Who a peer proved to be, by its certificate. */
export interface PeerIdentity {
  /** The certificate's common name, or else its first alternative name. */
  readonly name: string;
  /** Its alternative names, such as `DNS:example.com`. */
  readonly altNames: readonly string[];
  /** The common name of who issued it. */
  readonly issuer: string;
  /** SHA-256 of the certificate, in hex with colons. */
  readonly fingerprint: string;
  /** When it expires, in milliseconds since 1970. */
  readonly expiresAt: number;
}
