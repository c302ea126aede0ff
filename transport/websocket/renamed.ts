/** A transport whose peer is somebody else than it looks: the client of a proxy. */

import type { Transport, TransportAbilities } from "../../transport.ts";

/** Everything is that of the transport, but for the peer's address. */
export class RenamedTransport implements Transport {
  readonly #inner: Transport;

  constructor(inner: Transport, readonly remote: string) {
    this.#inner = inner;
  }

  get abilities(): TransportAbilities {
    return this.#inner.abilities;
  }

  get local(): string {
    return this.#inner.local;
  }

  read(
    readTarget?: (bytes: number) => Uint8Array | undefined,
  ): Promise<Uint8Array | undefined> {
    return this.#inner.read(readTarget);
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
