/** What sending and fetching have in common. */

import { Deadline } from "../internal/time.ts";
import { fileError } from "./errors.ts";

/** How far a transfer is. Sizes in bytes. */
export interface TransferProgress {
  /** Bytes that are done, those of earlier attempts included. */
  readonly bytes: number;
  /** Bytes of the file. */
  readonly size: number;
  /** Where this attempt began. */
  readonly offset: number;
}

/** What came of a transfer. */
export interface Transferred {
  /** The file's name at the peer. */
  readonly name: string;
  /** Its size in bytes. */
  readonly size: number;
  /** SHA-256 of its bytes, as hexadecimal digits. */
  readonly sha256: string;
  /** Bytes that were there before, and did not have to cross again. */
  readonly resumedAt: number;
}

/** Options of a transfer, either way. Times are milliseconds. */
export interface TransferOptions {
  /** Gives up; what has arrived is kept, and the next attempt goes on there. */
  signal?: AbortSignal;
  /** Told at each chunk. */
  onProgress?: (progress: TransferProgress) => void;
  /**
   * Told when what had arrived earlier is not the beginning of the file, which was changed: it starts
   * afresh then.
   */
  onRestart?: () => void;
  /**
   * How long the transfer may stand still.
   *
   * @default 30_000
   */
  idleTimeout?: number;
}

/** How long the peer may look at what it has before it says where to go on, in milliseconds. */
const PATIENT_TIMEOUT = 600_000;

/** A signal that is aborted as well when a transfer stands still. */
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

  /** Something moved. */
  moved(): void {
    this.#patient.stop();
    this.#moving.start();
  }

  /** The peer has to read or write a whole file now, which takes time. */
  wait(): void {
    this.#moving.stop();
    this.#patient.start();
  }

  /** Ends it. */
  [Symbol.dispose](): void {
    this.#moving.clear();
    this.#patient.clear();
  }
}
