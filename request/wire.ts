/** Encodes messages about requests; docs/requests.md describes them. */

import type { TraceContext } from "../internal/telemetry.ts";
import { writeVarint } from "../internal/varint.ts";
import { type Encoded, valueKind } from "./values.ts";

/** The version in HELLO. */
export const VERSION = 1;

/**
 * The type of a message: the low five bits of its first byte. REQUEST may also have the flags
 * {@linkcode WANTS_STREAM} and {@linkcode HAS_ITEMS}.
 */
export const Type = {
  hello: 0x00,
  notify: 0x01,
  cancel: 0x02,
  item: 0x03,
  end: 0x04,
  credit: 0x05,
  response: 0x06,
  error: 0x07,
  request: 0x10,
} as const;

/** The caller wants a stream. */
export const WANTS_STREAM = 0x01;
/** The caller will send items. */
export const HAS_ITEMS = 0x02;
/** The request carries a trace context. */
export const HAS_TRACE = 0x04;
/** The request has a key: a worker of a group may have got it before. Only for members of groups. */
export const HAS_KEY = 0x08;
/** In the byte of HELLO that tells what an end understands: requests may carry a trace context. */
export const TAKES_TRACES = 0x01;
/** A longer `tracestate` is left out, in characters of ASCII (W3C Trace Context, section 3.3.1.5). */
const MAX_TRACE_STATE = 512;
/** Set in messages about requests of the receiver, so that both ends may use the same ids. */
export const ANSWERING = 0x80;

/** How much one end allows the other end. */
export interface Allowance {
  /** How many requests may be without an answer. */
  readonly requests: number;
  /** How many bytes their messages may have together. A single request may have more. */
  readonly bytes: number;
  /** How many bytes one message may have. */
  readonly messageBytes: number;
  /** Whether a request may carry a trace context; by default it may not. */
  readonly takesTraces?: boolean;
}

/** What every end allows at least, and as long as it has not sent its HELLO. */
export const LEAST: Allowance = { requests: 16, bytes: 64 * 1024, messageBytes: 1024 };

/** The first bytes of HELLO, after its type. */
export const MAGIC: readonly number[] = [0x4c, 0x57, 0x52, 0x51]; // "LWRQ"
const MAX_ERROR_TEXT_BYTES = 8 * 1024;
/** Small enough that a connection copies it at once: then the memory is free for the next message. */
const SCRATCH_BYTES = 32 * 1024;
/** More than the longest header: the name of a method, or the code and text of an error. */
const MAX_HEADER_BYTES = 512 + MAX_ERROR_TEXT_BYTES;

/** Messages that last lie side by side: an array for each would cost more than all else. */
const BLOCK_BYTES = 16 * 1024;
/** A longer one has an array of its own. */
const MAX_LASTING_BYTES = 1024;

const encoder = new TextEncoder();
const passing = new Uint8Array(SCRATCH_BYTES);
/** Where the message is written, and where it begins and ends there. */
let scratch = passing;
let start = 0;
let used = 0;
let block = new Uint8Array(0);
let blockUsed = 0;

// The encoders give a view of `passing`, which is valid until the next call. For a large value they
// give a new array. Values are encoded before, because to encode a value may run code of the program.

/** HELLO: the protocol, its version, and what this end allows. */
export function encodeHello(allowance: Allowance): Uint8Array {
  scratch.set([Type.hello, ...MAGIC, VERSION]);
  used = 6; // `start` is 0: only what lasts begins elsewhere.
  varint(allowance.requests);
  varint(allowance.bytes);
  varint(allowance.messageBytes);
  scratch[used++] = TAKES_TRACES;
  return scratch.subarray(0, used);
}

/** REQUEST. With a window, it asks for a stream. */
export function encodeRequest(
  id: number,
  method: string,
  params: Encoded,
  window: Window | undefined,
  hasItems: boolean,
  trace?: TraceContext,
  key?: string,
): Uint8Array {
  const flags = (window === undefined ? 0 : WANTS_STREAM) | (hasItems ? HAS_ITEMS : 0) |
    (trace === undefined ? 0 : HAS_TRACE) | (key === undefined ? 0 : HAS_KEY);
  begin(Type.request | flags, params);
  varint(id);
  shortText(method);
  if (window !== undefined) {
    varint(window.items);
    varint(window.bytes);
  }
  if (trace !== undefined) {
    const { traceparent, tracestate } = trace;
    shortText(traceparent);
    longText(tracestate.length <= MAX_TRACE_STATE ? tracestate : "");
  }
  if (key !== undefined) shortText(key);
  return finish(params);
}

/** NOTIFY. */
export function encodeNotify(method: string, params: Encoded): Uint8Array {
  begin(Type.notify, params);
  shortText(method);
  return finish(params);
}

/**
 * As `encodeNotify()`, but the message does not change any more. A short one is a view of a block: who keeps
 * it for long should copy it.
 */
export function encodeLastingNotify(method: string, params: Encoded): Uint8Array {
  const { length = 0 } = params ?? {};
  const most = 2 + 3 * method.length + (typeof params === "string" ? 3 * length : length);
  if (most > MAX_LASTING_BYTES) return encodeNotify(method, params).slice();
  if (blockUsed + most > block.length) {
    block = new Uint8Array(BLOCK_BYTES);
    blockUsed = 0;
  }
  scratch = block;
  start = blockUsed;
  const message = encodeNotify(method, params);
  blockUsed += message.length;
  scratch = passing;
  start = 0;
  return message;
}

/** RESPONSE or ITEM: an id and a value. */
export function encodeWithValue(first: number, id: number, value: Encoded): Uint8Array {
  begin(first, value);
  varint(id);
  return finish(value);
}

/** CANCEL or END: only an id. */
export function encodeBare(first: number, id: number): Uint8Array {
  begin(first, undefined);
  varint(id);
  return scratch.subarray(0, used);
}

/** CREDIT. */
export function encodeCredit(first: number, id: number, credit: Window): Uint8Array {
  begin(first, undefined);
  varint(id);
  varint(credit.items);
  varint(credit.bytes);
  return scratch.subarray(0, used);
}

/** ERROR. Code and text are cut if they are too long. */
export function encodeError(id: number, code: string, text: string, data: Encoded): Uint8Array {
  begin(ANSWERING | Type.error, data);
  varint(id);
  const { written } = encoder.encodeInto(code, scratch.subarray(used + 1, used + 256));
  scratch[used] = written;
  used += 1 + written;
  longText(text);
  return finish(data);
}

/** Whether a method's name has at most 255 bytes. */
export function fitsName(method: string): boolean {
  return method.length * 3 <= 255 || encoder.encode(method).length <= 255;
}

/** How many items and bytes of a stream may be sent. */
export interface Window {
  /** How many ITEM messages. */
  readonly items: number;
  /** How many bytes these messages may have together. The last message may exceed it. */
  readonly bytes: number;
}

function begin(first: number, value: Encoded): void {
  scratch[start] = first | valueKind(value) << 5;
  used = start + 1;
}

function varint(value: number): void {
  used = writeVarint(value, scratch, used);
}

/** Writes a text of up to 255 bytes behind its length. */
function shortText(text: string): void {
  const at = used + 1;
  scratch[used] = ascii(text, at) ? text.length : encoder.encodeInto(
    text,
    scratch.subarray(at, at + 255),
  ).written;
  used = at + scratch[used];
}

/** Writes a text of up to 8 KiB behind two bytes of length. */
function longText(text: string): void {
  const at = used + 2;
  const length = encoder.encodeInto(text, scratch.subarray(at, at + MAX_ERROR_TEXT_BYTES)).written;
  scratch[used] = length >> 8;
  scratch[used + 1] = length & 0xff;
  used = at + length;
}

/** Writes a text if it is short and ASCII, as most texts are. Returns whether it was. */
function ascii(text: string, at: number): boolean {
  if (text.length > 64) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return false;
    scratch[at + i] = code;
  }
  return true;
}

function finish(value: Encoded): Uint8Array {
  if (value === undefined) return scratch.subarray(start, used);
  const most = SCRATCH_BYTES - MAX_HEADER_BYTES;
  if (typeof value === "string") {
    if (ascii(value, used)) return scratch.subarray(start, used + value.length);
    if (value.length * 3 <= most) {
      const { written } = encoder.encodeInto(value, scratch.subarray(used));
      return scratch.subarray(start, used + written);
    }
    value = encoder.encode(value);
  }
  const length = used + value.length;
  const message = value.length <= most ? scratch.subarray(start, length) : new Uint8Array(length);
  if (value.length > most) message.set(scratch.subarray(0, used));
  message.set(value, used - start);
  return message;
}
