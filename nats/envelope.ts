/**
 * How a message of a room stands in a message of NATS. All hubs of a cluster must read it, whatever their
 * version, so it begins with one.
 *
 * ```
 * 1 byte   version, 1
 * 1 byte   0 for bytes, 1 for a text, 2 for a pack of messages
 * 8 bytes  id of the publisher: random, new for each `nats()`
 * varint   number of the message, or pack: each publisher counts from 1, over all rooms
 * varint   number of the publisher's message before it in this room; 0 if there was none, or it is forgotten
 * varint   bytes of the room's name
 *          the room's name, as JSON in UTF-8: so half a surrogate pair is not lost
 *          the message, or the pack (`Pack`)
 * ```
 */

import { readVarint, varintBytes, varintEnd, writeVarint } from "../internal/varint.ts";

const VERSION = 1;
const ID_AT = 2;
const NUMBERS_AT = ID_AT + 8;
/** Numbers up to 2^53 - 1 have at most eight bytes. */
const MAX_VARINT_BYTES = 8;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const KINDS = ["bytes", "text", "pack"] as const;

/** What a message is. */
export type Kind = typeof KINDS[number];

/** A message of a room, or several of them. */
export interface Envelope {
  /** The id of the publisher. */
  readonly publisher: bigint;
  /** See above. */
  readonly number: number;
  readonly previous: number;
  readonly room: string;
  readonly kind: Kind;
  readonly message: Uint8Array;
}

/** How a room's name stands in an envelope. */
export function encodeName(room: string): Uint8Array {
  return encoder.encode(JSON.stringify(room));
}

/** Puts a message into its envelope, with its room's name by `encodeName()`. */
export function encodeEnvelope(envelope: Omit<Envelope, "room">, name: Uint8Array): Uint8Array {
  const { publisher, number, previous, kind, message } = envelope;
  const head = NUMBERS_AT + varintBytes(number) + varintBytes(previous) + varintBytes(name.length);
  const bytes = new Uint8Array(head + name.length + message.length);
  bytes[0] = VERSION;
  bytes[1] = KINDS.indexOf(kind);
  viewOf(bytes).setBigUint64(ID_AT, publisher);
  let at = writeVarint(number, bytes, NUMBERS_AT);
  at = writeVarint(previous, bytes, at);
  at = writeVarint(name.length, bytes, at);
  bytes.set(name, at);
  bytes.set(message, head + name.length);
  return bytes;
}

/** Takes a message out of its envelope; undefined if it is none. The message is a view of the bytes. */
export function decodeEnvelope(bytes: Uint8Array): Envelope | undefined {
  if (bytes.length < NUMBERS_AT || bytes[0] !== VERSION) return undefined;
  const kind = KINDS.at(bytes[1]);
  if (kind === undefined) return undefined;
  let at = NUMBERS_AT;
  const numbers: number[] = [];
  while (numbers.length < 3) {
    const end = varintEnd(bytes, at, Math.min(bytes.length, at + MAX_VARINT_BYTES));
    const value = end < 0 ? Infinity : readVarint(bytes, at, end);
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
    numbers.push(value);
    at = end;
  }
  const [number, previous, nameBytes] = numbers;
  if (previous >= number || nameBytes > bytes.length - at) return undefined;
  const room = decodeName(bytes.subarray(at, at + nameBytes));
  if (room === undefined) return undefined;
  return {
    publisher: viewOf(bytes).getBigUint64(ID_AT),
    number,
    previous,
    room,
    kind,
    message: bytes.subarray(at + nameBytes),
  };
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function decodeName(bytes: Uint8Array): string | undefined {
  try {
    const name = JSON.parse(decoder.decode(bytes));
    return typeof name === "string" ? name : undefined;
  } catch {
    return undefined; // It is no UTF-8, or no JSON.
  }
}
