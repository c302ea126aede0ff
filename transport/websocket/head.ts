/** Heads of HTTP/1.1 messages (RFC 9112): a start line and fields. */

import { ConnectionLostError, HeadError } from "../../errors.ts";
import { printable } from "../../internal/text.ts";
import type { Transport } from "../../transport.ts";

/** The limits of a head. */
export const MAX_HEAD_BYTES: number = 16 * 1024;
const MAX_FIELDS = 100;

const LF = 0x0a;
const CR = 0x0d;
/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110, section 5.5: no control characters but the tab. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
/** Fields that may not come twice, because their meaning would not be clear. */
const SINGLE = ["host", "content-length", "sec-websocket-key", "sec-websocket-version", "origin"];

/** The head of a request or a response. */
export interface Head {
  /** Its first line. */
  readonly startLine: string;
  /** Its fields. */
  readonly fields: Headers;
  /** Its bytes, with the empty line. */
  readonly bytes: Uint8Array;
  /** What arrived behind it. */
  readonly rest: Uint8Array | undefined;
}

/**
 * Reads a head. `first` is the chunk that was read already, if there is one. After each chunk,
 * `checkStart` checks what has arrived, and throws if that cannot be the start of a head.
 *
 * @throws {HeadError} if it is not a valid head, or too large.
 * @throws {ConnectionLostError} if the stream ends before the head does.
 */
export async function readHead(
  transport: Transport,
  checkStart: (head: Uint8Array) => void,
  first?: Uint8Array,
): Promise<Head> {
  let head = new Uint8Array(1024);
  let length = 0;
  for (let next = first;; next = undefined) {
    const chunk = next ?? await transport.read();
    if (chunk === undefined) {
      throw new ConnectionLostError(
        length === 0 ? "the peer ended without a word" : "the peer ended inside its HTTP head",
      );
    }
    const taken = chunk.subarray(0, MAX_HEAD_BYTES - length);
    const before = length;
    length += taken.length;
    if (length > head.length) head = grown(head, Math.min(2 * length, MAX_HEAD_BYTES));
    head.set(taken, before);
    checkStart(head.subarray(0, length));
    const end = endOfHead(head.subarray(0, length), before);
    if (end >= 0) {
      const rest = end - before < chunk.length ? chunk.subarray(end - before) : undefined;
      return {
        ...parseHead(latin1(head.subarray(0, end - 4))),
        bytes: head.subarray(0, end),
        rest,
      };
    }
    if (length === MAX_HEAD_BYTES) {
      throw new HeadError(`its head is larger than ${MAX_HEAD_BYTES} bytes`, 431);
    }
  }
}

function grown(head: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes);
  larger.set(head);
  return larger;
}

/** Where the empty line ends, or -1. Searches from `from` on. Each line must end in CR LF. */
function endOfHead(head: Uint8Array, from: number): number {
  for (let at = head.indexOf(LF, from); at >= 0; at = head.indexOf(LF, at + 1)) {
    if (head[at - 1] !== CR) throw new HeadError("a line of its head does not end in CR LF", 400);
    if (head[at - 2] === LF && head[at - 3] === CR) return at + 1;
  }
  return -1;
}

function parseHead(text: string): Pick<Head, "startLine" | "fields"> {
  const [startLine, ...lines] = text.split("\r\n");
  if (CONTROL.test(startLine)) throw new HeadError("its first line has control characters", 400);
  if (lines.length > MAX_FIELDS) {
    throw new HeadError(`its head has ${lines.length} fields, limit is ${MAX_FIELDS}`, 431);
  }
  const fields = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    if (!TOKEN.test(name) || CONTROL.test(line)) {
      throw new HeadError(`its head has no field in line "${printable(line.slice(0, 40))}"`, 400);
    }
    if (SINGLE.includes(name.toLowerCase()) && fields.has(name)) {
      throw new HeadError(`its head has ${name} twice`, 400);
    }
    fields.append(name, line.slice(colon + 1));
  }
  return { startLine, fields };
}

/** Whether a field can be written into a head without change. */
export function isField(name: string, value: string): boolean {
  return TOKEN.test(name) && /^[\t -~]*$/.test(value);
}

/** Whether a body follows behind fields; their names are in small letters. */
export function hasBody(fields: Readonly<Record<string, unknown>>): boolean {
  return "transfer-encoding" in fields ||
    /^0*[1-9]/.test(String(fields["content-length"] ?? ""));
}

/** Whether the list in a field contains a word, in upper or lower case. */
export function hasToken(fields: Headers, name: string, word: string): boolean {
  return (fields.get(name) ?? "").split(",").some((item) => item.trim().toLowerCase() === word);
}

/** Each byte as the character with the same code. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  // Each byte is an argument, and engines limit the number of arguments.
  for (let at = 0; at < bytes.length; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }
  return text;
}
