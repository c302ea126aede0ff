/** What all transports on stream sockets share. */

import { errors } from "../internal/runtime/errors.ts";
import type { SocketListener, StreamSocket } from "../internal/runtime/stream_socket.ts";
import { handledResolvers } from "../internal/handled.ts";
import { BLOCK_BYTES, recycle, SHARED_BLOCKS, takeBlock } from "../internal/memory.ts";
import type { Memory } from "../internal/memory.ts";
import type {
  Endpoint,
  PeerIdentity,
  TlsStart,
  Transport,
  TransportAbilities,
} from "../transport.ts";
import type { VanishingPeer } from "./acknowledgments.ts";
import { endName, peerHasGone } from "./conn.ts";
import type { AcceptedPeer, TransportListener } from "./kind.ts";
import { copyOf, recycleSlot, SLOT_BYTES, takeSlot } from "./slots.ts";
import { TURN_BYTES, turnOfOthers } from "../internal/turn.ts";

/** Makes a peer ready for messages. Closes the socket if that fails. */
type Open<C> = (
  conn: C,
  options: { signal: AbortSignal },
) => Transport | Promise<Transport | undefined>;

/** Accepts peers from a listener of the runtime, and makes each of them ready by `open`. */
export class StreamListener<C extends StreamSocket> implements TransportListener {
  readonly endpoint: Endpoint;
  readonly #listener: SocketListener<C>;
  readonly #peerOf: (conn: C) => AcceptedPeer;

  constructor(
    listener: SocketListener<C>,
    endpoint: Endpoint,
    open: Open<C>,
    peerOf: (conn: C) => AcceptedPeer = (conn) => new StreamPeer(conn, open),
  ) {
    this.#listener = listener;
    this.endpoint = endpoint;
    this.#peerOf = peerOf;
  }

  async accept(): Promise<AcceptedPeer> {
    for (;;) {
      try {
        return this.#peerOf(await this.#listener.accept());
      } catch (error) {
        if (!peerHasGone(error)) throw error;
      }
    }
  }

  close(): void {
    closeQuietly(this.#listener);
  }
}

class StreamPeer<C extends StreamSocket> implements AcceptedPeer {
  readonly #conn: C;
  readonly #open: Open<C>;

  constructor(conn: C, open: Open<C>) {
    this.#conn = conn;
    this.#open = open;
  }

  get hostname(): string {
    const { remoteAddr } = this.#conn;
    return "hostname" in remoteAddr ? remoteAddr.hostname : "";
  }

  open(options: { signal: AbortSignal }): Transport | Promise<Transport | undefined> {
    return this.#open(this.#conn, options);
  }

  refuse(): void {
    closeQuietly(this.#conn);
  }
}

/** How much larger, or smaller, the next block is. */
const BLOCK_STEP = 8;

/** What a stream socket can do. Its members are not private: other abilities inherit from it. */
class SocketAbilities implements TransportAbilities {
  constructor(readonly transport: StreamTransport) {}

  /** What is decrypted comes from the engine, and not from these blocks. */
  get chunks(): Memory | undefined {
    return this.transport.secure === undefined ? SHARED_BLOCKS : undefined;
  }

  get peer(): PeerIdentity | undefined {
    return this.transport.secure?.abilities.peer;
  }

  startTls(start: TlsStart): Promise<void> {
    return this.transport.startTls(start);
  }
}

/** How many of these transports are open. */
let openStreams = 0;

/**
 * A stream socket as a transport. A read of an idle connection weighs as little as it can: it
 * waits in a slot, and not in an async function. When a read fills its memory, the next one gets more.
 */
export class StreamTransport implements Transport {
  #abilities: TransportAbilities | undefined;
  readonly #conn: StreamSocket;
  readonly #watch: VanishingPeer | undefined;
  /** Kept until the socket is closed. Made for the first read. */
  #slot: Uint8Array | undefined;
  #blockBytes = SLOT_BYTES;
  #block: Uint8Array | undefined;
  #used = 0;
  /** The read that is under way, and what it reads into. */
  #reading: Promise<number | null> | undefined;
  #target: Uint8Array | undefined;
  /**
   * Set when TLS begins in the middle. Resolves to the encrypted stream, or to undefined if it stays
   * plain. Rejects after `close()`.
   */
  #securing: PromiseWithResolvers<Transport | undefined> | undefined;
  #secure: Transport | undefined;
  /** How many bytes may be read and written at once before the others have their turn. */
  #budget = TURN_BYTES;
  #isClosed = false;

  /** `watch` notices a peer that has vanished. */
  constructor(conn: StreamSocket, watch?: VanishingPeer) {
    this.#conn = conn;
    this.#watch = watch;
    openStreams++;
  }

  get local(): string {
    return endName(this.#conn.localAddr);
  }

  get remote(): string {
    return endName(this.#conn.remoteAddr);
  }

  get abilities(): TransportAbilities {
    return this.#abilities ??= new SocketAbilities(this);
  }

  /** The encrypted stream, if there is one. */
  get secure(): Transport | undefined {
    return this.#secure;
  }

  /** See `TransportAbilities.startTls()`. */
  async startTls({ options, hostname, ahead, flushed, signal }: TlsStart): Promise<void> {
    if (this.#securing !== undefined) {
      throw new TypeError(`Cannot start TLS with ${this.remote}: it was started before`);
    }
    const securing = this.#securing = handledResolvers<Transport | undefined>();
    const underWay = this.#underWay;
    const chunks = underWay === undefined ? ahead : [...ahead, underWay];
    try {
      // Imported only when it is needed, because the engine takes time to load.
      const { starterOf } = await import("./tls/start.ts");
      const handshake = starterOf(options, hostname);
      await flushed;
      signal.throwIfAborted();
      const wire = { conn: this.#conn, watch: this.#watch, ahead: chunks };
      this.#secure = await handshake(wire, signal);
      securing.resolve(this.#secure);
    } catch (error) {
      if (error instanceof TypeError && !signal.aborted) {
        this.#securing = undefined;
        securing.resolve(undefined);
      }
      throw error;
    }
  }

  /** What the read that is under way will give; undefined if there is none. */
  get #underWay(): Promise<Uint8Array | undefined> | undefined {
    const target = this.#target;
    const chunk = this.#reading?.then((bytes) =>
      bytes === null ? undefined : target?.slice(0, bytes)
    );
    chunk?.catch(() => {}); // Whoever reads is told.
    return chunk;
  }

  read(
    readTarget?: (bytes: number) => Uint8Array | undefined,
  ): Promise<Uint8Array | undefined> {
    if (this.#securing !== undefined) return this.#readSecurely(this.#securing);
    const turn = this.#budget > 0 ? undefined : this.#turnOfOthers();
    if (turn === undefined) return this.#readNow(readTarget);
    return turn.then(() => this.#isClosed ? undefined : this.#readNow(readTarget));
  }

  /** What is waited for, if the others have their turn now; undefined if this connection goes on. */
  #turnOfOthers(): Promise<void> | undefined {
    if (this.#isClosed) return undefined;
    this.#budget = TURN_BYTES;
    return turnOfOthers(openStreams === 1);
  }

  #readNow(
    readTarget: ((bytes: number) => Uint8Array | undefined) | undefined,
  ): Promise<Uint8Array | undefined> {
    // It may have begun while this read waited for its turn.
    if (this.#securing !== undefined) return this.#readSecurely(this.#securing);
    const target = this.#target = readTarget?.(this.#blockBytes) ?? this.#freePart();
    this.#reading = this.#watch === undefined
      ? this.#conn.read(target)
      : this.#readWatched(target, this.#watch);
    return this.#reading.then(this.#took);
  }

  async #readWatched(target: Uint8Array, watch: VanishingPeer): Promise<number | null> {
    try {
      const bytes = await this.#conn.read(target);
      watch.heard();
      return bytes;
    } catch (error) {
      throw watch.reasonFor(error);
    }
  }

  /** A read has ended. One function for all reads. */
  readonly #took = (
    bytes: number | null,
  ): Uint8Array | undefined | Promise<Uint8Array | undefined> => {
    const target = this.#target!;
    this.#target = this.#reading = undefined;
    this.#budget -= bytes ?? 0;
    const chunk = bytes === null ? undefined : this.#chunkOf(target, bytes);
    return this.#securing === undefined ? chunk : this.#readSecurely(this.#securing, chunk);
  };

  /** Reads what was encrypted. If TLS does not begin after all, `chunk` was read in plain text. */
  async #readSecurely(
    { promise }: PromiseWithResolvers<Transport | undefined>,
    chunk?: Uint8Array,
  ): Promise<Uint8Array | undefined> {
    const secure = await promise;
    if (secure !== undefined) return await secure.read();
    return chunk ?? await this.read();
  }

  #chunkOf(target: Uint8Array, bytes: number): Uint8Array {
    if (target === this.#slot) {
      if (bytes === target.length) this.#resize(this.#blockBytes * BLOCK_STEP);
      return copyOf(target, bytes);
    }
    const isOwn = target.buffer === this.#block?.buffer;
    if (!isOwn) return target.subarray(0, bytes);
    this.#used += bytes;
    if (bytes === target.length) {
      this.#resize(Math.min(this.#blockBytes * BLOCK_STEP, BLOCK_BYTES));
      return target;
    }
    if (bytes < this.#blockBytes / BLOCK_STEP) {
      this.#resize(Math.max(this.#blockBytes / BLOCK_STEP, SLOT_BYTES));
    }
    return target.subarray(0, bytes);
  }

  /** The slot, or the part of the block that was not read into yet: chunks are views of the other. */
  #freePart(): Uint8Array {
    if (this.#blockBytes === SLOT_BYTES) return this.#slot ??= takeSlot();
    if (this.#block !== undefined && this.#block.length - this.#used >= this.#block.length / 4) {
      return this.#block.subarray(this.#used);
    }
    this.#dropBlock();
    return this.#block = this.#blockBytes === BLOCK_BYTES
      ? takeBlock()
      : new Uint8Array(this.#blockBytes);
  }

  #resize(blockBytes: number): void {
    if (blockBytes === this.#blockBytes) return;
    this.#blockBytes = blockBytes;
    this.#dropBlock();
  }

  /** Gives back the part of the block that nothing was read into. The chunks have other owners. */
  #dropBlock(): void {
    if (this.#block !== undefined) recycle(this.#block.subarray(this.#used));
    this.#block = undefined;
    this.#used = 0;
  }

  write(chunk: Uint8Array): Promise<number> {
    if (this.#secure !== undefined) return this.#secure.write(chunk);
    const turn = this.#budget > 0 ? undefined : this.#turnOfOthers();
    if (turn !== undefined) return turn.then(() => this.write(chunk));
    this.#budget -= chunk.length;
    return this.#watch === undefined
      ? this.#conn.write(chunk)
      : this.#writeWatched(chunk, this.#watch);
  }

  async #writeWatched(chunk: Uint8Array, watch: VanishingPeer): Promise<number> {
    watch.wrote();
    try {
      return await this.#conn.write(chunk);
    } catch (error) {
      throw watch.reasonFor(error);
    }
  }

  async closeWrite(): Promise<void> {
    const secure = this.#secure ?? await this.#securing?.promise;
    if (secure !== undefined) return await secure.closeWrite();
    await this.#conn.closeWrite();
  }

  close(): void {
    if (!this.#isClosed) openStreams--;
    this.#watch?.heard();
    this.#secure?.close();
    closeQuietly(this.#conn);
    this.#securing?.reject(new errors.Interrupted("the connection was closed"));
    this.#isClosed = true;
    const slot = this.#slot;
    this.#slot = undefined;
    if (slot === undefined) return;
    // While a read is under way, the system may still write into the slot.
    if (this.#reading === undefined) recycleSlot(slot);
    else this.#reading.then(() => recycleSlot(slot), () => recycleSlot(slot));
  }
}

function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch (error) {
    // A failure of the other direction has closed it already.
    if (!(error instanceof errors.BadResource)) throw error;
  }
}
