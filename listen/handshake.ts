/** How long a peer may take until it is ready for messages. */

import { ConnectionClosedError } from "../errors.ts";

/** A deadline for one handshake. Costs nothing where nobody asks for its signal. */
export class HandshakeDeadline {
  readonly #timeout: number;
  readonly #stopping: AbortSignal;
  #aborter: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Of `timeout` milliseconds, or until the server stops. */
  constructor(timeout: number, stopping: AbortSignal) {
    this.#timeout = timeout;
    this.#stopping = stopping;
  }

  /** Aborted when the time is over. */
  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      this.#aborter = new AbortController();
      this.#timer = setTimeout(() => {
        const reason = `handshake was not finished within ${this.#timeout} ms`;
        this.#aborter!.abort(new Deno.errors.TimedOut(reason));
      }, this.#timeout);
      this.#stopping.addEventListener("abort", this.#stop, { once: true });
      if (this.#stopping.aborted) this.#stop();
    }
    return this.#aborter.signal;
  }

  /** The handshake is over. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#stopping.removeEventListener("abort", this.#stop);
  }

  readonly #stop = (): void => {
    this.#aborter!.abort(
      new ConnectionClosedError("Cannot finish handshake: the server is closing"),
    );
  };
}
