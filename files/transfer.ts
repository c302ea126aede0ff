/** What sending and fetching share. */

import { Deadline } from "../internal/time.ts";
import { fileError } from "./errors.ts";

/** How far a transfer is. Sizes are in bytes. */
export interface TransferProgress {
  /** How many bytes are done, including those of earlier attempts. */
  readonly bytes: number;
  /** How many bytes the file has. */
  readonly size: number;
  /** The offset at which this attempt began. */
  readonly offset: number;
}

/** The result of a transfer. */
export interface Transferred {
  /** The file's name at the peer. */
  readonly name: string;
  /** Its size in bytes. */
  readonly size: number;
  /** SHA-256 of its bytes, as hexadecimal digits. */
  readonly sha256: string;
  /** How many bytes were there before, and did not have to be sent again. */
  readonly resumedAt: number;
}

/** Options of a transfer, in both directions. Times are in milliseconds. */
export interface TransferOptions {
  /**
   * Ends the transfer. The bytes that have arrived are kept, and the next attempt continues after
   * them.
   */
  signal?: AbortSignal;
  /** Called for each chunk. */
  onProgress?: (progress: TransferProgress) => void;
  /**
   * Called when the bytes of an earlier attempt are not the beginning of the file, because the file
   * was changed. The transfer then starts again from the beginning.
   */
  onRestart?: () => void;
  /**
   * For how long no bytes may move.
   *
   * @default 30_000
   */
  idleTimeout?: number;
}

/**
 * How long the peer may read the bytes that it has before it says where to continue, in
 * milliseconds.
 */
const PATIENT_TIMEOUT = 600_000;

/** A signal that is also aborted when a transfer stands still. */
export class Watch implements Disposable {
  /** Aborted with the caller's reason, or `stalled`. */
  readonly signal: AbortSignal;
  readonly #moving: Deadline;
  readonly #patient: Deadline;

  constructor(what: string, { signal, idleTimeout = 30_000 }: TransferOptions) {
    const controller = new AbortController();
    const deadline = (timeout: number) =>
      new Deadline(timeout, () => {
        controller.abort(fileError("stalled", what, `nothing moved within ${timeout} ms`));
      });
    this.#moving = deadline(idleTimeout);
    this.#patient = deadline(Math.max(idleTimeout, PATIENT_TIMEOUT));
    this.signal = signal === undefined
      ? controller.signal
      : AbortSignal.any([signal, controller.signal]);
    this.wait();
  }

  /** Some bytes moved. */
  moved(): void {
    this.#patient.stop();
    this.#moving.start();
  }

  /** The peer must read or write a whole file now, which takes time. */
  wait(): void {
    this.#moving.stop();
    this.#patient.start();
  }

  /** Ends the watching. */
  [Symbol.dispose](): void {
    this.#moving.clear();
    this.#patient.clear();
  }
}
