/**
 * A thread for standard output where much is written. The pieces of writing.ts are small, so each would
 * cost a turn of the event loop. A thread may wait for the reader instead.
 */

import { FULL_DELAY, isKept, PIECE_BYTES, pieceAt } from "./writing.ts";

/** So many bytes are written without a thread: one that is not needed is not started. */
const LIGHT_BYTES = 1024 * 1024;
/** Fewer at once are not worth the way to the thread and back. */
const MIN_BYTES = 16 * 1024;

/** What goes to the thread, and what comes back: how many bytes were taken. */
export interface Port {
  onmessage: ((event: { readonly data: Uint8Array }) => void) | null;
  postMessage(taken: number): void;
}

/** Writes with a thread as soon as that is worth it. */
export class WritingThread {
  #light = 0;
  #state: "none" | "starting" | "ready" | "over" = "none";
  #worker: Worker | undefined;
  #answer = Promise.withResolvers<number>();

  /**
   * Resolves to how many of the bytes were taken: fewer than all if it is for the caller to write them, and
   * to find out what is wrong.
   */
  async write(bytes: Uint8Array): Promise<number> {
    if (this.#state === "none" && this.#light > LIGHT_BYTES) this.#start();
    if (this.#state !== "ready" || bytes.length < MIN_BYTES) {
      this.#light += bytes.length;
      return 0;
    }
    this.#answer = Promise.withResolvers();
    const copy = bytes.slice();
    this.#worker!.postMessage(copy, [copy.buffer]);
    const taken = await this.#answer.promise;
    if (taken < bytes.length) this.#end();
    return taken;
  }

  #start(): void {
    this.#state = "starting";
    // A module of its own would need the permission to read it.
    const worker = new Worker(`data:text/javascript,${encodeURIComponent(source())}`, {
      type: "module",
    });
    this.#worker = worker;
    worker.onmessage = ({ data }) => {
      if (this.#state === "starting") this.#state = "ready";
      else this.#answer.resolve(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (this.#state === "ready") this.#answer.reject(new Error(event.message));
      this.#end();
    };
  }

  #end(): void {
    this.#state = "over";
    this.#worker?.terminate();
  }
}

function source(): string {
  return `${pieceAt}\n${isKept}\n(${serve})(self, (bytes) => Deno.stdout.writeSync(bytes), ` +
    `${JSON.stringify({ PIECE_BYTES, FULL_DELAY })}, { pieceAt, isKept });`;
}

/**
 * What the thread does. It stands on its own: everything that it uses is handed to it.
 *
 * @param port Where bytes come from; 0 tells that the thread is there.
 * @param write Writes, and returns how many bytes were taken.
 */
export function serve(
  port: Port,
  write: (bytes: Uint8Array) => number,
  constants: { readonly PIECE_BYTES: number; readonly FULL_DELAY: number },
  rules: { readonly pieceAt: typeof pieceAt; readonly isKept: typeof isKept },
): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  port.onmessage = ({ data }) => {
    let at = 0;
    try {
      while (at < data.length) at += writePiece(rules.pieceAt(data, at, constants.PIECE_BYTES));
    } catch {
      // The caller writes the rest, and is told what is wrong.
    }
    port.postMessage(at);
  };
  port.postMessage(0);

  function writePiece(piece: Uint8Array): number {
    const kept = rules.isKept(piece);
    for (let rest = piece;;) {
      try {
        const taken = write(rest);
        return kept ? piece.length : taken;
      } catch (error) {
        if (!(error instanceof Error) || error.name !== "WouldBlock") throw error;
        if (kept) rest = new Uint8Array();
        Atomics.wait(clock, 0, 0, constants.FULL_DELAY);
      }
    }
  }
}
