/** How messages are printed: `--out`, in a form for programs, or safe for a terminal. */

import { printable } from "../../internal/text.ts";
import type { OutForm } from "./forms.ts";
import { UsageError } from "./options.ts";

/** Makes of a message what is printed. */
export type MessageForm = (message: Uint8Array) => Uint8Array | string;

/** Bytes per line of a dump. */
const DUMP_BYTES = 16;
/** More of a message is not dumped: nobody reads it. */
const MAX_DUMPED_BYTES = 4096;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * How messages look in a form. Nothing that a peer sends reaches a terminal as it is: there, control
 * characters are made visible, in every form.
 *
 * @throws {UsageError} for `length` on a terminal.
 */
export function messageForm(form: OutForm, isTerminal: boolean): MessageForm {
  const safe = isTerminal ? printable : (text: string) => text;
  switch (form) {
    case "lines":
      return isTerminal ? (message) => printable(lenient.decode(message)) + "\n" : withNewline;
    case "bytes":
      return isTerminal
        ? (message) => printableLines(lenient.decode(message))
        : (message) => message;
    case "hex":
      return (message) => message.toHex() + "\n";
    case "base64":
      return (message) => message.toBase64() + "\n";
    case "json":
      return (message) => safe(JSON.stringify(jsonOf(message))) + "\n";
    case "length":
      if (isTerminal) {
        throw new UsageError("--out length is for files and pipes, not for terminals");
      }
      return withLength;
    case "pretty":
      return pretty;
  }
}

/** A message as a value of JSON: its text, or, where it is no UTF-8, an object with its bytes. */
export function jsonOf(message: Uint8Array): string | { readonly base64: string } {
  return decoded(message) ?? { base64: message.toBase64() };
}

/** A message in words. Undefined if it is no UTF-8. */
function decoded(message: Uint8Array): string | undefined {
  try {
    return strict.decode(message);
  } catch {
    return undefined;
  }
}

function withNewline(message: Uint8Array): Uint8Array {
  const line = new Uint8Array(message.length + 1);
  line.set(message);
  line[message.length] = 0x0a;
  return line;
}

function withLength(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(4 + message.length);
  new DataView(framed.buffer).setUint32(0, message.length);
  framed.set(message, 4);
  return framed;
}

/** For people: JSON with indents, other text as it is, and of all else a dump. */
export function pretty(message: Uint8Array): string {
  const text = decoded(message);
  // deno-lint-ignore no-control-regex
  if (text === undefined || /[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]/.test(text)) return dump(message);
  return printableLines(indented(text) ?? text, true);
}

function indented(text: string): string | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return undefined;
  }
}

/** Offsets, bytes and characters, as other dumps have them. */
export function dump(message: Uint8Array): string {
  if (message.length === 0) return "(empty)\n";
  let all = "";
  const end = Math.min(message.length, MAX_DUMPED_BYTES);
  for (let at = 0; at < end; at += DUMP_BYTES) {
    const row = Array.from(message.subarray(at, Math.min(at + DUMP_BYTES, end)));
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const characters = row.map((byte) =>
      byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : "."
    );
    const offset = at.toString(16).padStart(8, "0");
    all += `${offset}  ${hex.padEnd(3 * DUMP_BYTES - 1)}  |${characters.join("")}|\n`;
  }
  const left = message.length - end;
  return left === 0 ? all : `${all}… ${left} more bytes\n`;
}

/** Several lines, of which each is safe to show. */
function printableLines(text: string, endsLine = false): string {
  const shown = text.split("\n").map((line) => printable(line.replace(/\r$/, ""))).join("\n");
  return endsLine && !shown.endsWith("\n") ? shown + "\n" : shown;
}
