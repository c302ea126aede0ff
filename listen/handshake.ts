/** The time limit for the handshake of a peer. */

import { errors } from "../internal/runtime/errors.ts";
import { ConnectionClosedError } from "../errors.ts";
import { type Deadline, deadlineOf } from "../internal/time.ts";

/** A deadline for one handshake. It costs nothing unless something asks for its signal. */
export class HandshakeDeadline {
  readonly #timeout: number;
  readonly #stopping: AbortSignal;
  #aborter: AbortController | undefined;
  #deadline: Deadline | undefined;
  #stop: (() => void) | undefined;

  /** The deadline is over after `timeout` milliseconds, or when the server stops. */
  constructor(timeout: number, stopping: AbortSignal) {
    this.#timeout = timeout;
    this.#stopping = stopping;
  }

  /** Aborted when the deadline is over. */
  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      this.#aborter = new AbortController();
      this.#deadline = deadlineOf(this.#timeout, () => {
        const reason = `handshake was not finished within ${this.#timeout} ms`;
        this.#aborter!.abort(new errors.TimedOut(reason));
      });
      this.#stop = () => this.#stopped();
      this.#stopping.addEventListener("abort", this.#stop, { once: true });
      if (this.#stopping.aborted) this.#stopped();
    }
    return this.#aborter.signal;
  }

  /**
   * The peer wants no connection, but an answer. A server that closes still gives it, as long as there is
   * time.
   */
  answering(): void {
    if (this.#stop !== undefined) this.#stopping.removeEventListener("abort", this.#stop);
    this.#stop = undefined;
  }

  /** Time does not count from now on. */
  pause(): void {
    this.#deadline?.stop();
  }

  /** Time counts again, from the start. */
  resume(): void {
    this.#deadline?.start();
  }

  /** Call it when the handshake is over. */
  clear(): void {
    this.#deadline?.clear();
    this.answering();
  }

  #stopped(): void {
    this.#aborter!.abort(
      new ConnectionClosedError("Cannot finish handshake: the server is closing"),
    );
  }
}
