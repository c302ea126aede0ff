/**
 * What the servers of a cluster say to each other about carriers that one of them carries for another.
 *
 * ```
 * 1 byte   version, 1
 * 1 byte   kind
 * 8 bytes  id of the stream: random, new for each carrier
 * varint   OPEN: 0. DATA, END: which one of its direction, from 1.
 *          CREDIT: how many bytes of the other direction were taken so far. ABORT: 0.
 *          OPEN: an opening as JSON. DATA: bytes of the stream.
 * ```
 */

import { fromHex, toHex } from "../internal/encoding.ts";
import { readVarint, varintBytes, varintEnd, writeVarint } from "../internal/varint.ts";
import type { PeerIdentity } from "../transport.ts";

const VERSION = 1;
const ID_AT = 2;
const ID_BYTES = 8;
const NUMBER_AT = ID_AT + ID_BYTES;
const MAX_VARINT_BYTES = 8;
/** The largest opening that is looked at. What `authorize` gave is in it. */
const MAX_OPENING_BYTES = 64 * 1024;
const MAX_TEXT = 1_000;

/** The kinds of messages. */
export const Kind = { OPEN: 1, DATA: 2, CREDIT: 3, END: 4, ABORT: 5 } as const;
/** One of them. */
export type Kind = (typeof Kind)[keyof typeof Kind];

/** A message about one stream. */
export interface StreamMessage {
  readonly kind: Kind;
  /** In hex. */
  readonly stream: string;
  readonly number: number;
  readonly body: Uint8Array;
}

/** Whose carrier it is. */
export interface Opening {
  /** The server that carries it. */
  readonly from: string;
  /** The client's address, and the endpoint to which it came. */
  readonly remote: string;
  readonly endpoint: string;
  /** The identity that it has proved by a certificate. */
  readonly peer?: PeerIdentity;
  /** What `authorize` gave for it. */
  readonly user?: unknown;
}

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** A new id of a stream. */
export function newStreamId(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
}

/** A message as bytes. */
export function encodeStreamMessage(
  kind: Kind,
  stream: string,
  number: number,
  body: Uint8Array = NOTHING,
): Uint8Array {
  const bytes = new Uint8Array(NUMBER_AT + varintBytes(number) + body.length);
  bytes[0] = VERSION;
  bytes[1] = kind;
  bytes.set(fromHex(stream), ID_AT);
  bytes.set(body, writeVarint(number, bytes, NUMBER_AT));
  return bytes;
}

/** A message of bytes that come from anybody; undefined if they are none. The body is a view of them. */
export function decodeStreamMessage(bytes: Uint8Array): StreamMessage | undefined {
  if (bytes.length <= NUMBER_AT || bytes[0] !== VERSION) return undefined;
  const kind = bytes[1] as Kind;
  if (kind < Kind.OPEN || kind > Kind.ABORT) return undefined;
  const end = varintEnd(bytes, NUMBER_AT, Math.min(bytes.length, NUMBER_AT + MAX_VARINT_BYTES));
  const number = end < 0 ? Infinity : readVarint(bytes, NUMBER_AT, end);
  if (number > Number.MAX_SAFE_INTEGER) return undefined;
  return {
    kind,
    stream: toHex(bytes.subarray(ID_AT, NUMBER_AT)),
    number,
    body: bytes.subarray(end),
  };
}

/**
 * An opening as bytes.
 *
 * @throws {TypeError} if what `authorize` gave cannot be JSON.
 * @throws {RangeError} if it is too large.
 */
export function encodeOpening(opening: Opening): Uint8Array {
  const bytes = encoder.encode(JSON.stringify(opening));
  if (bytes.length > MAX_OPENING_BYTES) {
    throw new RangeError(
      `Cannot carry a carrier elsewhere: ${bytes.length} bytes about it, limit is ${MAX_OPENING_BYTES}`,
    );
  }
  return bytes;
}

/** An opening of bytes that come from anybody; undefined if they are none. */
export function decodeOpening(bytes: Uint8Array): Opening | undefined {
  if (bytes.length > MAX_OPENING_BYTES) return undefined;
  let opening;
  try {
    opening = JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined; // It is no UTF-8, or no JSON.
  }
  if (typeof opening !== "object" || opening === null) return undefined;
  const { from, remote, endpoint, peer, user } = opening;
  if (!isTag(from) || !isText(remote) || !isText(endpoint)) return undefined;
  if (peer !== undefined && typeof peer?.fingerprint !== "string") return undefined;
  return { from, remote, endpoint, peer, user };
}

/** Whether something names a server. */
export function isTag(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{10}$/.test(value);
}

/** Whether something is a text of a bounded length. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT;
}
