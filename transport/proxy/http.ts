/** CONNECT of HTTP (RFC 9110, section 9.3.6), with user and password (RFC 7617). */

import { toBase64 } from "../../internal/encoding.ts";
import { printable } from "../../internal/text.ts";
import { formatAddress } from "../endpoint.ts";
import type { Dialogue } from "./dialogue.ts";

/** The longest response head, together with interim responses. */
const MAX_HEAD_BYTES = 16 * 1024;
const PROTOCOL = "HTTP/";
const LF = 0x0a;
const CR = 0x0d;
/** How many characters of a proxy's answer an error quotes. */
const MAX_QUOTED = 100;

/** Asks the proxy for a tunnel to a host. The proxy looks up the host name. */
export async function httpConnect(
  dialogue: Dialogue,
  { hostname, port }: { hostname: string; port: number },
): Promise<void> {
  const { credentials } = dialogue.proxy;
  const host = formatAddress(hostname, port);
  const lines = [`CONNECT ${host} HTTP/1.1`, `Host: ${host}`];
  if (credentials !== undefined) {
    const { username, password } = credentials;
    lines.push(`Proxy-Authorization: Basic ${base64(`${username}:${password}`)}`);
  }
  await dialogue.send(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
  const buffer = new Uint8Array(MAX_HEAD_BYTES);
  for (let length = 0;;) {
    const start = length;
    length = await receiveHead(dialogue, buffer, start);
    const head = new TextDecoder("latin1").decode(buffer.subarray(start, length));
    const status = /^HTTP\/1\.[01] ([1-5]\d\d)(?![^ \r\n])/.exec(head)?.[1];
    if (status === undefined) throw notHttp(dialogue, head);
    // Skips interim responses.
    if (status.startsWith("1") && status !== "101") continue;
    if (status.startsWith("2")) return;
    throw dialogue.error(whyRefused(head, status, credentials !== undefined));
  }
}

/**
 * Reads up to the empty line. Each step reads only as many bytes as are certainly missing, so it never
 * reads past the head. Lines may end without CR (RFC 9112, section 2.2).
 */
async function receiveHead(dialogue: Dialogue, buffer: Uint8Array, start: number): Promise<number> {
  const first = await dialogue.receive(PROTOCOL.length);
  const text = new TextDecoder("latin1").decode(first);
  // Checked now, because an answer that is not HTTP may never have an empty line.
  if (text !== PROTOCOL) throw notHttp(dialogue, text);
  let length = start;
  for (let step = first;;) {
    if (length + step.length > buffer.length) {
      throw dialogue.error(`answered with a head of more than ${MAX_HEAD_BYTES} bytes`);
    }
    buffer.set(step, length);
    length += step.length;
    const [a, b, c] = buffer.subarray(length - 3, length);
    if (c === LF && (b === LF || (b === CR && a === LF))) return length;
    step = await dialogue.receive(c === LF || (c === CR && b === LF) ? 1 : 2);
  }
}

function whyRefused(head: string, status: string, hasCredentials: boolean): string {
  if (status !== "407") return `refused: ${quote(head.split(/\r?\n/, 1)[0])}`;
  const schemes = Array.from(head.matchAll(/^proxy-authenticate:[ \t]*([^\s,]+)/gim), ([, s]) => s);
  if (schemes.length > 0 && !schemes.some((scheme) => scheme.toLowerCase() === "basic")) {
    return `wants authentication by ${quote(schemes.join(" or "))}, and only Basic is known here`;
  }
  return hasCredentials
    ? "does not accept the user and the password"
    : "wants a user and a password; write them as http://USER:PASSWORD@HOST:PORT";
}

function notHttp(dialogue: Dialogue, text: string): Error {
  return dialogue.error(
    text.startsWith("\x05")
      ? "does not speak HTTP, but SOCKS 5; try socks5:// in its URL"
      : `does not speak HTTP: it answered "${quote(text.split(/\r?\n/, 1)[0])}"`,
  );
}

function quote(text: string): string {
  return printable(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}

function base64(text: string): string {
  return toBase64(new TextEncoder().encode(text));
}
