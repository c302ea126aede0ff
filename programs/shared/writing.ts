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
  /** Writes much at once. Resolves to how many bytes were taken, which may be none. */
  writeMuch?(bytes: Uint8Array): Promise<number>;
}

/** What a pipe takes as a whole or not at all: PIPE_BUF. */
export const PIECE_BYTES = Deno.build.os === "linux" ? 4096 : 512;
/** How long a pipe that is full is left alone, in milliseconds. */
export const FULL_DELAY = 2;
const NOTHING = new Uint8Array();

/** Writes all bytes, and waits where the pipe is full. */
export async function writeOut(to: StandardStream, bytes: Uint8Array): Promise<void> {
  for (let at = await to.writeMuch?.(bytes) ?? 0; at < bytes.length;) {
    let piece = pieceAt(bytes, at, PIECE_BYTES);
    const { length } = piece;
    const kept = to.keeps && isKept(piece);
    for (let taken: number | undefined; taken === undefined;) {
      try {
        taken = await to.write(piece);
        at += kept ? length : taken;
      } catch (error) {
        if (!(error instanceof Deno.errors.WouldBlock)) throw error;
        if (kept) piece = NOTHING; // It is in the buffer, which a further write empties.
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
export function pieceAt(bytes: Uint8Array, at: number, pieceBytes: number): Uint8Array {
  const piece = bytes.subarray(at, at + pieceBytes);
  const end = piece.lastIndexOf(0x0a) + 1;
  return end > 0 ? piece.subarray(0, end) : piece;
}

/** Whether Deno keeps a piece before it writes it: fewer bytes than 1024, without the end of a line. */
export function isKept(piece: Uint8Array): boolean {
  return piece.length < 1024 && piece[piece.length - 1] !== 0x0a;
}
