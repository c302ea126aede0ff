/** Chunks in small parts. */

import type { Transport, TransportAbilities } from "../../transport.ts";

/** Each byte may inflate to a thousand. So 4 KiB at a time, before it is looked at how much waits. */
const SLICE_BYTES = 4 * 1024;

/** A transport that gives what it has read in small chunks. */
export class SlicedTransport implements Transport {
  readonly #inner: Transport;
  #rest: Uint8Array | undefined;

  /** `rest` was read already. */
  constructor(inner: Transport, rest: Uint8Array | undefined) {
    this.#inner = inner;
    this.#rest = rest;
  }

  get abilities(): TransportAbilities {
    return this.#inner.abilities;
  }

  get local(): string {
    return this.#inner.local;
  }

  get remote(): string {
    return this.#inner.remote;
  }

  async read(): Promise<Uint8Array | undefined> {
    const chunk = this.#rest ?? await this.#inner.read();
    if (chunk === undefined) return undefined;
    this.#rest = chunk.length > SLICE_BYTES ? chunk.subarray(SLICE_BYTES) : undefined;
    return this.#rest === undefined ? chunk : chunk.subarray(0, SLICE_BYTES);
  }

  write(chunk: Uint8Array, endsMessage?: boolean): Promise<number> {
    return this.#inner.write(chunk, endsMessage);
  }

  closeWrite(): Promise<void> {
    return this.#inner.closeWrite();
  }

  close(error?: unknown): void {
    this.#inner.close(error);
  }
}
