/** What a peer speaks: by its first bytes, and by what it answers to a greeting. */

import { type Framing, framing as framingOf, type FramingText } from "../../../codec.ts";
import { printable, quoted } from "../../../internal/text.ts";
import { encodeHello, FrameType, SessionCode } from "../../../session/internal.ts";
import { guess } from "../../guess/guess.ts";
import { decodeSample } from "../../guess/sample.ts";
import { jsonOf } from "../../shared/shown.ts";
import { refusalIn } from "../refusal.ts";
import type { Heard } from "./hearing.ts";

/** What a peer is. */
export type Kind =
  | "http"
  | "tls"
  | "session"
  | "wants token"
  | "refuses"
  | "chat"
  | "requests"
  | "echo"
  | "messages"
  | "other framing"
  | "unknown bytes"
  | "turned away"
  | "silent";

/** What was found out about a peer. */
export interface Speech {
  readonly kind: Kind;
  /** In words. */
  readonly text: string;
  /** The framing that fits, where it is another one. */
  readonly framing?: string;
  /** How long the first answer took, in milliseconds. */
  readonly firstAfter?: number;
}

/** HELLO of a new session, which no program takes for something else: docs/protocol.md. */
export const HELLO: Uint8Array = encodeHello({
  id: undefined,
  received: 0,
  limit: 65_536,
  retentionTime: 1,
  attempt: 1,
});
/** How the first message of requests() begins: docs/requests.md. */
const REQUESTS = "004c575251";
/** What is tried when nothing else fits. */
const USUAL: readonly FramingText[] = [
  "line",
  "u32be",
  "u32le",
  "u16be",
  "u16le",
  "u8",
  "varint",
];
/** What is told of a peer that only listens. */
export const SILENT = "it is there, and says nothing";
const MAX_SHOWN = 60;
/** What speaks for a framing that needs no second look, in bits. */
const SURE = 16;

/** How a peer's bytes are read. */
export interface Reading {
  /** The framing that is expected. Undefined where each part is a message. */
  readonly framing: Framing | undefined;
  /** What was said to it, in the message that was not framed. */
  readonly said?: Uint8Array;
}

/** What a peer is that has said this. */
export function recognise(heard: Heard, reading: Reading): Speech {
  const { bytes, parts, end } = heard;
  if (bytes.length === 0 && parts.length === 0) {
    return end === "open"
      ? { kind: "silent", text: SILENT }
      : { kind: "turned away", text: "it ends at once, without a word" };
  }
  const foreign = foreignIn(bytes);
  if (foreign !== undefined) return foreign;
  const { framing, said } = reading;
  const messages = framing === undefined ? parts : messagesIn(bytes, framing);
  if (messages !== undefined && messages.length > 0) {
    return { ...recogniseMessages(messages, said), firstAfter: heard.firstAfter };
  }
  const other = otherFraming(bytes, framing);
  if (other !== undefined) {
    const first = messagesIn(bytes, framingOf(other as FramingText))?.[0] ?? bytes;
    return {
      kind: "other framing",
      framing: other,
      text: `it speaks in ${other}: ${shown(first)}`,
    };
  }
  return { kind: "unknown bytes", text: `it says ${shown(bytes)}, which fits to no framing` };
}

/** What begins as another protocol does. */
function foreignIn(bytes: Uint8Array): Speech | undefined {
  if (/^HTTP\/1\.[01] /.test(new TextDecoder("latin1").decode(bytes.subarray(0, 9)))) {
    const [line] = new TextDecoder().decode(bytes).split("\r\n", 1);
    return { kind: "http", text: `it speaks HTTP: ${shown(new TextEncoder().encode(line))}` };
  }
  if ((bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 3 && bytes[2] <= 4) {
    return { kind: "tls", text: "it speaks TLS" };
  }
}

function recogniseMessages([first, ...more]: readonly Uint8Array[], said?: Uint8Array): Speech {
  const and = more.length === 0 ? "" : `, and ${more.length} more`;
  if (said !== undefined && first.toHex() === said.toHex()) {
    return { kind: "echo", text: "it sends back what it gets" };
  }
  if (first[0] === FrameType.WELCOME && said !== undefined) {
    return { kind: "session", text: "it has sessions" };
  }
  if (first[0] === FrameType.REFUSED && first[1] === 0 && said !== undefined) {
    const kind = first[2] === SessionCode.TOKEN ? "wants token" : "refuses";
    return { kind, text: `it has sessions, and refuses${quoted(first.subarray(3))}` };
  }
  const refusal = refusalIn(first);
  if (refusal !== undefined) {
    const isToken = refusal.code === "token" || refusal.code === "timeout";
    const kind = isToken ? "wants token" : refusal.code === "session" ? "session" : "refuses";
    return { kind, text: refusal.text };
  }
  if (first.toHex().startsWith(REQUESTS)) return { kind: "requests", text: "it answers requests" };
  const isChat = first[0] === 0x2a && first[1] === 0x20;
  return isChat
    ? { kind: "chat", text: `it is a chat: ${shown(first)}${and}` }
    : { kind: "messages", text: `it says ${shown(first)}${and}` };
}

/** The messages in the first bytes of a stream. Undefined if the framing does not fit. */
function messagesIn(bytes: Uint8Array, framing: Framing): Uint8Array[] | undefined {
  const { cuts, error } = decodeSample(framing, { bytes, isWhole: false });
  return error === undefined ? cuts.map(({ message }) => message) : undefined;
}

/** A framing that fits better than the one that is expected. */
function otherFraming(bytes: Uint8Array, expected: Framing | undefined): string | undefined {
  const [best] = guess([{ bytes, isWhole: false }]).fitting;
  if (best !== undefined && best.bits >= SURE) {
    const also = USUAL.find((name) => name === best.framing || best.also.includes(name));
    return also ?? best.framing;
  }
  return USUAL.find((name) => {
    if (name === expected?.name) return false;
    const { cuts, error, restBytes } = decodeSample(framingOf(name), { bytes, isWhole: false });
    return error === undefined && cuts.length > 0 && restBytes === 0;
  });
}

/** The beginning of a message, safe to show. */
export function shown(message: Uint8Array): string {
  const part = message.subarray(0, MAX_SHOWN);
  const value = jsonOf(part);
  const more = message.length > part.length ? " …" : "";
  const text = typeof value === "string" ? `"${printable(value)}"` : part.toHex();
  return text + more;
}
