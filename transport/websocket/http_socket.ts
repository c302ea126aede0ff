/** A transport in the form in which `node:http` takes sockets. */

import { builtin } from "../../internal/runtime/builtin.ts";
import { writeAll } from "../../internal/bytes.ts";
import { Deadline } from "../../internal/time.ts";
import type { Transport } from "../../transport.ts";

const { Duplex } = builtin("node:stream");

/** Times, in milliseconds. */
export interface HttpTimes {
  /**
   * After an answer, the head of the next request must have come within this time.
   *
   * @default 5_000
   */
  readonly idleTimeout?: number;
  /**
   * A part of a body must come, and a part of an answer be taken, within this time.
   *
   * @default 30_000
   */
  readonly progressTimeout?: number;
}

/** After the last answer: how long to wait for the peer to close, and how many bytes to read at most. */
const DRAIN_TIMEOUT = 2_000;
const MAX_DRAIN_BYTES = 256 * 1024;

/**
 * A socket for `node:http`. If it ended at once while the peer still sends, the connection would be reset,
 * and the answer would be lost: so it reads on for a moment behind the last answer.
 */
export class HttpSocket extends Duplex {
  /** Resolves when it has closed; rejects with the first error that was told. */
  readonly over: Promise<void>;
  /** Whether a body is on its way. */
  isBodyDue = false;
  readonly #transport: Transport;
  readonly #first: Uint8Array[];
  readonly #reading: Deadline;
  readonly #writing: Deadline;
  readonly #halfOpen: Deadline;
  readonly #draining = new Deadline(DRAIN_TIMEOUT, () => this.destroy());
  #failure: { readonly error: unknown } | undefined;
  #drained: number | undefined;

  /**
   * `first` was read already. A body's next part, and a write, may take `progressTimeout`. After the end
   * of a peer, which may have gone, the next part of the answer may take `idleTimeout`.
   */
  constructor(
    transport: Transport,
    first: readonly Uint8Array[],
    { progressTimeout, idleTimeout }: Required<HttpTimes>,
  ) {
    super({ allowHalfOpen: true });
    this.#reading = new Deadline(progressTimeout, () => this.destroy());
    this.#writing = new Deadline(progressTimeout, () => this.destroy());
    this.#halfOpen = new Deadline(idleTimeout, () => this.destroy());
    this.#transport = transport;
    this.#first = [...first];
    this.over = new Promise((resolve, reject) => {
      this.once("close", () => {
        if (this.#failure === undefined) resolve();
        else reject(this.#failure.error);
      });
    });
    this.on("error", () => {}); // How the peer leaves does not matter.
  }

  /** Remembers what `over` rejects with. */
  tell(error: unknown): void {
    this.#failure ??= { error };
  }

  override _read(): void {
    this.#pull().catch((error) => this.destroy(error));
  }

  async #pull(): Promise<void> {
    if (this.isBodyDue) this.#reading.start();
    const chunk = this.#first.shift() ?? await this.#transport.read();
    this.#reading.stop();
    if (chunk !== undefined && this.#drained !== undefined) {
      this.#drained += chunk.length;
      if (this.#drained > MAX_DRAIN_BYTES) this.destroy();
    }
    if (chunk === undefined && !this.destroyed) this.#halfOpen.start();
    this.push(chunk ?? null);
  }

  override _write(chunk: Uint8Array, _: string, done: (error?: Error | null) => void): void {
    this.#writing.start();
    if (this.#halfOpen.running) this.#halfOpen.start();
    writeAll(this.#transport, chunk).finally(() => this.#writing.stop()).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#drained = 0;
    this.#draining.start();
    this.#transport.closeWrite().then(() => done(), done);
    this.removeAllListeners("data");
    this.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const deadlines = [this.#reading, this.#writing, this.#halfOpen, this.#draining];
    for (const deadline of deadlines) deadline.clear();
    this.#transport.close();
    done(error);
  }

  // What `node:http` asks of a socket besides. Its times are kept by others.

  /** Does nothing. */
  setTimeout(): this {
    return this;
  }

  /** Does nothing. */
  setNoDelay(): this {
    return this;
  }

  /** Does nothing. */
  setKeepAlive(): this {
    return this;
  }
}
