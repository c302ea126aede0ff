/**
 * What a caller and a worker send to each other: the frames of lanes. docs/groups.md draws them.
 *
 * ```
 * 1 byte   version, 1
 * 1 byte   type: 0 DATA, 1 END, 2 ACK, 3 RESET, 4 REFUSE
 * 8 bytes  id of the sender
 * varint   number of the lane: each caller counts from 1
 * varint   offset: how many bytes the sender has sent over the lane before
 * varint   taken: how many bytes of the receiver the sender has taken
 * varint   load: how many requests the sender has; 0 for a caller
 *          DATA: bytes of the stream; RESET, REFUSE: the reason in UTF-8
 * ```
 */

import { fromHex, toHex } from "../internal/encoding.ts";
import { readVarint, varintBytes, varintEnd, writeVarint } from "../internal/varint.ts";

const VERSION = 1;
const ID_AT = 2;
/** The size of an id, in bytes. */
const ID_BYTES = 8;
const NUMBERS_AT = ID_AT + ID_BYTES;
/** Numbers up to 2^53 - 1 have at most eight bytes. */
const MAX_VARINT_BYTES = 8;
/** More than a frame has beside its payload, in bytes. */
export const MAX_HEAD_BYTES: number = NUMBERS_AT + 4 * MAX_VARINT_BYTES;

/** What a frame is. */
export const FrameType = { data: 0, end: 1, ack: 2, reset: 3, refuse: 4 } as const;

/** One frame. */
export interface Frame {
  readonly type: number;
  /** The id of the sender, in hex. */
  readonly from: string;
  readonly lane: number;
  readonly offset: number;
  readonly taken: number;
  readonly load: number;
  readonly payload: Uint8Array;
}

/** A new id for a caller or a worker. */
export function newId(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
}

/** Whether a text is an id. */
export function isId(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{16}$/.test(value);
}

/** A frame as bytes, with a copy of the payload. */
export function encodeFrame(frame: Frame): Uint8Array {
  const { type, from, lane, offset, taken, load, payload } = frame;
  const numbers = [lane, offset, taken, load];
  const head = numbers.reduce((bytes, number) => bytes + varintBytes(number), NUMBERS_AT);
  const bytes = new Uint8Array(head + payload.length);
  bytes[0] = VERSION;
  bytes[1] = type;
  bytes.set(fromHex(from), ID_AT);
  numbers.reduce((at, number) => writeVarint(number, bytes, at), NUMBERS_AT);
  bytes.set(payload, head);
  return bytes;
}

/** A frame of bytes that come from anybody; undefined if they are none. The payload is a view of them. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < NUMBERS_AT || bytes[0] !== VERSION || bytes[1] > FrameType.refuse) {
    return undefined;
  }
  let at = NUMBERS_AT;
  const numbers: number[] = [];
  while (numbers.length < 4) {
    const end = varintEnd(bytes, at, Math.min(bytes.length, at + MAX_VARINT_BYTES));
    const value = end < 0 ? Infinity : readVarint(bytes, at, end);
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
    numbers.push(value);
    at = end;
  }
  const [lane, offset, taken, load] = numbers;
  const from = toHex(bytes.subarray(ID_AT, NUMBERS_AT));
  return { type: bytes[1], from, lane, offset, taken, load, payload: bytes.subarray(at) };
}
