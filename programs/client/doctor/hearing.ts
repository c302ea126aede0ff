/** What a peer says, within a time. */

import { concat } from "@std/bytes/concat";
import type { Connection } from "../../../connection.ts";

/** A peer that has said something is listened to until it is quiet for so long, in milliseconds. */
const QUIET = 200;
/** More is not heard, in bytes. */
const MAX_BYTES = 16 * 1024;

/** What was heard. */
export interface Heard {
  /** The chunks, or over WebSocket and UDP the messages. */
  readonly parts: readonly Uint8Array[];
  /** All of them together. */
  readonly bytes: Uint8Array;
  /** How it ended, if it did. */
  readonly end: "open" | "ended" | "broken";
  /** How long the first part took, in milliseconds. */
  readonly firstAfter?: number;
}

/** Listens to a peer, whose first part may take `first` milliseconds. */
export async function hear(
  connection: Connection,
  { first }: { readonly first: number },
): Promise<Heard> {
  const parts: Uint8Array[] = [];
  const startedAt = performance.now();
  let firstAfter: number | undefined;
  let size = 0;
  const done = (end: Heard["end"]): Heard => ({ parts, bytes: concat(parts), end, firstAfter });
  while (size < MAX_BYTES) {
    const wait = parts.length === 0 ? first : QUIET;
    const next = await orAfter(wait, connection.receive().catch(() => "broken" as const));
    if (next === "late") return done("open");
    if (next === "broken") return done("broken");
    if (next === undefined) return done("ended");
    firstAfter ??= performance.now() - startedAt;
    parts.push(next.slice());
    size += next.length;
  }
  return done("open");
}

async function orAfter<T>(wait: number, promise: Promise<T>): Promise<T | "late"> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => timer = setTimeout(resolve, wait, "late"));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
