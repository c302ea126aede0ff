/** Session frames as bytes: docs/protocol.md, section "Frames". */

import type { EndInfo } from "../codec.ts";
import { SessionProtocolError } from "../errors.ts";
import { fromHex, toHex } from "../internal/encoding.ts";
import { SessionCode } from "./codes.ts";

/** The version of the protocol that this end speaks. */
export const VERSION = 1;
/** The largest frame, its type byte included. */
export const MAX_FRAME_BYTES = 65_536;
/** The size of the header before the bytes of a DATA frame. */
export const DATA_HEADER_BYTES = 9;
/** The longest text of a frame, in bytes of UTF-8. A longer text is cut. */
export const MAX_TEXT_BYTES = 1_000;
/** The size of a session's id, in bytes. */
export const ID_BYTES = 16;

/** The first byte of each frame. */
export const FrameType = {
  HELLO: 1,
  WELCOME: 2,
  REFUSED: 3,
  DATA: 4,
  ACK: 5,
  PING: 6,
  PONG: 7,
  END: 8,
  RESET: 9,
  DRAIN: 10,
} as const;

/** The first frame of a carrier: a client asks for a session, or for its session back. */
export interface Hello {
  readonly type: typeof FrameType.HELLO;
  /** The session's id in hex; undefined for a new one. */
  readonly id: string | undefined;
  readonly received: number;
  readonly limit: number;
  readonly retentionTime: number;
  /**
   * The number of this HELLO in the client's session. Each HELLO has a higher number than those
   * before it.
   */
  readonly attempt: number;
}

/** The server's answer. */
export interface Welcome {
  readonly type: typeof FrameType.WELCOME;
  readonly isResumed: boolean;
  readonly id: string;
  readonly received: number;
  readonly limit: number;
  readonly retentionTime: number;
}

/** A frame of any type. */
export type Frame =
  | Hello
  | Welcome
  | { readonly type: typeof FrameType.REFUSED; readonly code: number; readonly text: string }
  | { readonly type: typeof FrameType.DATA; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly type: typeof FrameType.ACK; readonly received: number; readonly limit: number }
  | { readonly type: typeof FrameType.PING; readonly token: number }
  | { readonly type: typeof FrameType.PONG; readonly token: number }
  | { readonly type: typeof FrameType.END; readonly offset: number; readonly info: EndInfo }
  | { readonly type: typeof FrameType.RESET; readonly code: number; readonly text: string }
  | { readonly type: typeof FrameType.DRAIN; readonly text: string };

/** "LWSP": a peer that speaks another protocol is noticed at once. */
const MAGIC = 0x4c575350;
const HAS_CODE = 1;
const NO_ID = "0".repeat(2 * ID_BYTES);
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function encodeHello(hello: Omit<Hello, "type">): Uint8Array {
  const frame = start(FrameType.HELLO, 46);
  frame.setUint32(1, MAGIC);
  frame.setUint8(5, VERSION);
  bytesOf(frame).set(fromHex(hello.id ?? NO_ID), 6);
  setUint64(frame, 22, hello.received);
  setUint64(frame, 30, hello.limit);
  frame.setUint32(38, hello.retentionTime);
  frame.setUint32(42, hello.attempt);
  return bytesOf(frame);
}

export function encodeWelcome(welcome: Omit<Welcome, "type">): Uint8Array {
  const frame = start(FrameType.WELCOME, 39);
  frame.setUint8(1, VERSION);
  frame.setUint8(2, welcome.isResumed ? 1 : 0);
  bytesOf(frame).set(fromHex(welcome.id), 3);
  setUint64(frame, 19, welcome.received);
  setUint64(frame, 27, welcome.limit);
  frame.setUint32(35, welcome.retentionTime);
  return bytesOf(frame);
}

export function encodeRefused(code: number, text: string): Uint8Array {
  return encodeReason(FrameType.REFUSED, code, text);
}

export function encodeReset(code: number, text: string): Uint8Array {
  return encodeReason(FrameType.RESET, code, text);
}

/** Writes the header of a DATA frame. The bytes after the header are there already. */
export function writeDataHeader(frame: Uint8Array, offset: number): void {
  const high = Math.floor(offset / 2 ** 32);
  frame[0] = FrameType.DATA;
  // Byte by byte, because a view would be a new object for each frame.
  frame[1] = high >>> 24;
  frame[2] = high >>> 16;
  frame[3] = high >>> 8;
  frame[4] = high;
  frame[5] = offset >>> 24;
  frame[6] = offset >>> 16;
  frame[7] = offset >>> 8;
  frame[8] = offset;
}

export function encodeAck(received: number, limit: number): Uint8Array {
  const frame = start(FrameType.ACK, 17);
  setUint64(frame, 1, received);
  setUint64(frame, 9, limit);
  return bytesOf(frame);
}

export function encodePing(token: number): Uint8Array {
  const frame = start(FrameType.PING, 5);
  frame.setUint32(1, token);
  return bytesOf(frame);
}

export function encodePong(token: number): Uint8Array {
  const frame = start(FrameType.PONG, 5);
  frame.setUint32(1, token);
  return bytesOf(frame);
}

export function encodeEnd(offset: number, info: EndInfo): Uint8Array {
  const text = encodeText(info.reason ?? "");
  const frame = start(FrameType.END, 14 + text.length);
  setUint64(frame, 1, offset);
  frame.setUint8(9, info.code === undefined ? 0 : HAS_CODE);
  frame.setUint32(10, info.code ?? 0);
  bytesOf(frame).set(text, 14);
  return bytesOf(frame);
}

export function encodeDrain(reason: string): Uint8Array {
  const text = encodeText(reason);
  const frame = start(FrameType.DRAIN, 1 + text.length);
  bytesOf(frame).set(text, 1);
  return bytesOf(frame);
}

/**
 * Decodes a frame. The bytes of DATA are a view of it.
 *
 * @throws {SessionProtocolError} for a frame that is not possible.
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length > MAX_FRAME_BYTES) {
    throw new SessionProtocolError(
      `Cannot receive session frame of ${bytes.length} bytes: limit is ${MAX_FRAME_BYTES} bytes`,
      SessionCode.TOO_LARGE,
    );
  }
  if (bytes.length === 0) throw malformed("it is empty");
  if (bytes[0] === FrameType.DATA) return decodeData(bytes); // Most are: they need no view.
  const frame = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const type = bytes[0];
  switch (type) {
    case FrameType.ACK:
      checkLength(frame, 17);
      return { type, received: getUint64(frame, 1), limit: getUint64(frame, 9) };
    case FrameType.PING:
    case FrameType.PONG:
      checkLength(frame, 5);
      return { type, token: frame.getUint32(1) };
    case FrameType.END:
      return { type, offset: getUint64(frame, 1, 14), info: decodeEndInfo(frame) };
    case FrameType.HELLO:
      return decodeHello(frame);
    case FrameType.WELCOME:
      return decodeWelcome(frame);
    case FrameType.REFUSED:
    case FrameType.RESET:
      if (bytes.length < 3) throw malformed(`it has ${bytes.length} bytes`);
      return { type, code: frame.getUint16(1), text: decodeText(frame, 3) };
    case FrameType.DRAIN:
      return { type, text: decodeText(frame, 1) };
    default:
      throw new SessionProtocolError(
        `Cannot receive session frame of type ${type}: version ${VERSION} has none such`,
        SessionCode.TYPE,
      );
  }
}

function decodeData(bytes: Uint8Array): Frame {
  if (bytes.length < DATA_HEADER_BYTES + 1) throw malformed(`it has ${bytes.length} bytes`);
  const high = ((bytes[1] << 24 | bytes[2] << 16 | bytes[3] << 8 | bytes[4]) >>> 0) * 2 ** 32;
  const low = (bytes[5] << 24 | bytes[6] << 16 | bytes[7] << 8 | bytes[8]) >>> 0;
  return {
    type: FrameType.DATA,
    offset: checkNumber(high + low),
    bytes: bytes.subarray(DATA_HEADER_BYTES),
  };
}

function decodeHello(frame: DataView): Hello {
  if (frame.byteLength < 6 || frame.getUint32(1) !== MAGIC) throw malformed("it is no HELLO");
  const version = frame.getUint8(5);
  // The version comes before the length, because another version may have another length.
  if (version !== VERSION) {
    throw new SessionProtocolError(
      `Cannot use version ${version} of the session protocol: version ${VERSION} is spoken here`,
      SessionCode.VERSION,
    );
  }
  checkLength(frame, 46);
  const id = toHex(bytesOf(frame).subarray(6, 6 + ID_BYTES));
  return {
    type: FrameType.HELLO,
    id: id === NO_ID ? undefined : id,
    received: getUint64(frame, 22),
    limit: getUint64(frame, 30),
    retentionTime: frame.getUint32(38),
    attempt: frame.getUint32(42),
  };
}

function decodeWelcome(frame: DataView): Welcome {
  checkLength(frame, 39);
  const [version, flags] = [frame.getUint8(1), frame.getUint8(2)];
  if (version !== VERSION) {
    throw new SessionProtocolError(
      `Cannot use version ${version} of the session protocol: version ${VERSION} is spoken here`,
      SessionCode.VERSION,
    );
  }
  if (flags > 1) throw malformed(`its flags are ${flags}`);
  return {
    type: FrameType.WELCOME,
    isResumed: flags === 1,
    id: toHex(bytesOf(frame).subarray(3, 3 + ID_BYTES)),
    received: getUint64(frame, 19),
    limit: getUint64(frame, 27),
    retentionTime: frame.getUint32(35),
  };
}

function decodeEndInfo(frame: DataView): EndInfo {
  const flags = frame.getUint8(9);
  const code = frame.getUint32(10);
  const reason = decodeText(frame, 14);
  if (flags > HAS_CODE) throw malformed(`its flags are ${flags}`);
  if (flags === 0 && code !== 0) throw malformed(`it has code ${code} and says that it has none`);
  return {
    ...(flags === HAS_CODE ? { code } : {}),
    ...(reason === "" ? {} : { reason }),
  };
}

function start(type: number, length: number): DataView {
  const bytes = new Uint8Array(length);
  bytes[0] = type;
  return new DataView(bytes.buffer);
}

function bytesOf(frame: DataView): Uint8Array {
  return new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength);
}

function encodeReason(type: number, code: number, reason: string): Uint8Array {
  const text = encodeText(reason);
  const frame = start(type, 3 + text.length);
  frame.setUint16(1, code);
  bytesOf(frame).set(text, 3);
  return bytesOf(frame);
}

/** UTF-8, cut before the character that would not fit. */
function encodeText(text: string): Uint8Array {
  const target = new Uint8Array(Math.min(MAX_TEXT_BYTES, text.length * 3));
  return target.subarray(0, encoder.encodeInto(text, target).written);
}

function decodeText(frame: DataView, at: number): string {
  const text = bytesOf(frame).subarray(at);
  if (text.length > MAX_TEXT_BYTES) throw malformed(`its text has ${text.length} bytes`);
  try {
    return decoder.decode(text);
  } catch {
    throw malformed("its text is not UTF-8");
  }
}

function setUint64(frame: DataView, at: number, value: number): void {
  frame.setUint32(at, Math.floor(value / 2 ** 32));
  frame.setUint32(at + 4, value >>> 0);
}

/** A number up to 2^53 - 1, in a frame of at least so many bytes. */
function getUint64(frame: DataView, at: number, minBytes = 0): number {
  if (frame.byteLength < minBytes) throw malformed(`it has ${frame.byteLength} bytes`);
  return checkNumber(frame.getUint32(at) * 2 ** 32 + frame.getUint32(at + 4));
}

function checkNumber(value: number): number {
  if (value > Number.MAX_SAFE_INTEGER) throw malformed("a number in it is above 2^53 - 1");
  return value;
}

function checkLength(frame: DataView, bytes: number): void {
  if (frame.byteLength !== bytes) {
    throw malformed(`it has ${frame.byteLength} bytes and not ${bytes}`);
  }
}

function malformed(state: string): SessionProtocolError {
  return new SessionProtocolError(
    `Cannot receive session frame: ${state}`,
    SessionCode.MALFORMED,
  );
}
