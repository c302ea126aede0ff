/** What all transports on Deno's own stream sockets share. */

import { BLOCK_BYTES, SHARED_BLOCKS, takeBlock } from "../internal/memory.ts";
import {
  type Endpoint,
  formatAddress,
  type Transport,
  type TransportAbilities,
} from "../transport.ts";
import type { VanishingPeer } from "./acknowledgments.ts";
import type { AcceptedPeer, TransportListener } from "./kind.ts";
import { copyOf, recycleSlot, SLOT_BYTES, takeSlot } from "./slots.ts";

/** Throws for Deno before 2.9.5, which loses pending writes when a socket is closed. */
export function requireDeno(): void {
  const [major, minor, patch] = Deno.version.deno.split(".").map(Number.parseFloat);
  if (major * 1e6 + minor * 1e3 + patch < 2_009_005) {
    throw new Error(
      `Cannot use Deno ${Deno.version.deno}: before 2.9.5 it loses pending writes on close; run "deno upgrade"`,
    );
  }
}

/** Makes a peer ready for messages. Closes the socket if that fails. */
type Open<C> = (
  conn: C,
  options: { signal: AbortSignal },
) => Transport | Promise<Transport | undefined>;

/** Accepts peers from a listener of Deno, and makes each of them ready by `open`. */
export class DenoListener<C extends Deno.Conn> implements TransportListener {
  readonly endpoint: Endpoint;
  readonly #listener: Deno.Listener<C>;
  readonly #open: Open<C>;

  constructor(
    listener: Deno.Listener<C>,
    endpoint: Endpoint,
    open: Open<C>,
  ) {
    this.#listener = listener;
    this.endpoint = endpoint;
    this.#open = open;
  }

  async accept(): Promise<AcceptedPeer> {
    for (;;) {
      try {
        return new DenoPeer(await this.#listener.accept(), this.#open);
      } catch (error) {
        if (!peerHasGone(error)) throw error;
      }
    }
  }

  close(): void {
    closeQuietly(this.#listener);
  }
}

/**
 * Whether the peer has reset its connection. Before it is accepted, that must not stop the
 * listener.
 */
export function peerHasGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted;
}

class DenoPeer<C extends Deno.Conn> implements AcceptedPeer {
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

/** One object for all connections, because many of them are idle. */
const ABILITIES: TransportAbilities = { chunks: SHARED_BLOCKS };

/**
 * A stream socket of Deno as a transport. A read of an idle connection weighs as little as it can: it
 * waits in a slot, and not in an async function. When a read fills its memory, the next one gets more.
 */
export class DenoTransport implements Transport {
  readonly abilities: TransportAbilities = ABILITIES;
  readonly #conn: Deno.Conn;
  readonly #watch: VanishingPeer | undefined;
  /** Kept until the socket is closed. Made for the first read. */
  #slot: Uint8Array | undefined;
  #blockBytes = SLOT_BYTES;
  #block: Uint8Array | undefined;
  #used = 0;
  /** The read that is under way, and what it reads into. */
  #reading: Promise<number | null> | undefined;
  #target: Uint8Array | undefined;

  /** `watch` notices a peer that has vanished. */
  constructor(conn: Deno.Conn, watch?: VanishingPeer) {
    this.#conn = conn;
    this.#watch = watch;
  }

  get local(): string {
    return endName(this.#conn.localAddr);
  }

  get remote(): string {
    return endName(this.#conn.remoteAddr);
  }

  read(
    readTarget?: (bytes: number) => Uint8Array | undefined,
  ): Promise<Uint8Array | undefined> {
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
  readonly #took = (bytes: number | null): Uint8Array | undefined => {
    const target = this.#target!;
    this.#target = this.#reading = undefined;
    return bytes === null ? undefined : this.#chunkOf(target, bytes);
  };

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
    this.#used = 0;
    return this.#block = this.#blockBytes === BLOCK_BYTES
      ? takeBlock()
      : new Uint8Array(this.#blockBytes);
  }

  #resize(blockBytes: number): void {
    if (blockBytes === this.#blockBytes) return;
    this.#blockBytes = blockBytes;
    this.#block = undefined;
  }

  write(chunk: Uint8Array): Promise<number> {
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
    await this.#conn.closeWrite();
  }

  close(): void {
    this.#watch?.heard();
    closeQuietly(this.#conn);
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
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

function endName(address: Deno.Addr): string {
  return "hostname" in address ? formatAddress(address.hostname, address.port) : "";
}
