/**
 * Writing to standard output and standard error, also where they are pipes that do not block.
 *
 * Such a pipe refuses what it has no room for, by `WouldBlock`. Then it must be known how much was
 * taken, or something would be written twice. But Deno's standard output has a buffer: a write can put
 * bytes there and then fail. So all is written in pieces for which there is no doubt.
 */

import { delay } from "@std/async/delay";

/** Standard output or standard error. */
export interface StandardStream {
  /** Writes, and resolves to how many bytes were taken. */
  write(bytes: Uint8Array): Promise<number>;
  /** Whether it keeps, before it writes, a piece that is short and ends in the middle of a line. */
  readonly keeps: boolean;
  /** Whether it was a terminal at the start: one that hangs up is none any more. */
  readonly isTerminal: boolean;
}

/** Fewer bytes than this, without the end of a line, are kept. */
const KEPT_BYTES = 1024;
/** What a pipe takes as a whole or not at all: PIPE_BUF. */
const PIECE_BYTES = Deno.build.os === "linux" ? 4096 : 512;
/** How long a pipe that is full is left alone, in milliseconds. */
const FULL_DELAY = 2;
const NEWLINE = 0x0a;
const NOTHING = new Uint8Array();

/** Writes all bytes, and waits where the pipe is full. */
export async function writeOut(to: StandardStream, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    let piece = pieceAt(bytes, at);
    const { length } = piece;
    const isKept = to.keeps && length < KEPT_BYTES && piece[length - 1] !== NEWLINE;
    for (let taken: number | undefined; taken === undefined;) {
      try {
        taken = await to.write(piece);
        at += isKept ? length : taken;
      } catch (error) {
        if (!(error instanceof Deno.errors.WouldBlock)) throw error;
        if (isKept) piece = NOTHING; // It is in the buffer, which a further write empties.
        await delay(FULL_DELAY);
      }
    }
  }
}

/** Writes all bytes to a terminal, and comes back when that is done. */
export function writeTerminal(
  to: { writeSync(bytes: Uint8Array): number },
  bytes: Uint8Array,
): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += to.writeSync(bytes.subarray(at));
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      // Asleep, as in a call that blocks.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_DELAY);
    }
  }
}

/** The next piece: up to the end of its last line, if it has one. */
function pieceAt(bytes: Uint8Array, at: number): Uint8Array {
  const piece = bytes.subarray(at, at + PIECE_BYTES);
  const end = piece.lastIndexOf(NEWLINE) + 1;
  return end > 0 ? piece.subarray(0, end) : piece;
}
