/**
 * What workers say to all callers, and callers to all workers: JSON in UTF-8, so that it can be read on the
 * way. docs/groups.md tells it to others.
 */

import { fitsName } from "../request/internal.ts";
import { isId } from "./frames.ts";

const VERSION = 1;
/** A worker with more methods is none. */
export const MAX_METHODS = 1_000;

/** What a worker is and how busy it is. */
export interface WorkerNotice {
  readonly kind: "worker";
  readonly id: string;
  readonly number: number;
  readonly methods: readonly string[];
  /** How many requests it has. */
  readonly load: number;
  /** How many it works on at a time. */
  readonly capacity: number;
}

/** A word of somebody. Each counts what it says to all, from 1. */
export type Notice =
  | WorkerNotice
  /** A worker takes no further requests. */
  | { readonly kind: "leave"; readonly id: string; readonly number: number }
  /** A caller is there; with `ask`, it wants to know all workers. */
  | { readonly kind: "caller" | "ask" | "bye"; readonly id: string; readonly number: number };

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** A notice as bytes. */
export function encodeNotice(notice: Notice): Uint8Array {
  return encoder.encode(JSON.stringify({ v: VERSION, ...notice }));
}

/** A notice of bytes that come from anybody; undefined if they are none. */
export function decodeNotice(bytes: Uint8Array): Notice | undefined {
  let notice;
  try {
    notice = JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined; // It is no UTF-8, or no JSON.
  }
  if (typeof notice !== "object" || notice?.v !== VERSION) return undefined;
  const { kind, id, number } = notice;
  if (!isId(id) || !isCount(number)) return undefined;
  switch (kind) {
    case "worker":
      return isWorker(notice) ? notice : undefined;
    case "leave":
    case "caller":
    case "ask":
    case "bye":
      return { kind, id, number };
    default:
      return undefined;
  }
}

function isWorker({ methods, load, capacity }: Record<string, unknown>): boolean {
  return Array.isArray(methods) && methods.length <= MAX_METHODS &&
    methods.every((method) => typeof method === "string" && fitsName(method)) &&
    isCount(load) && isCount(capacity) && capacity > 0;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
