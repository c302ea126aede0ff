/** The client's side of the handshake (RFC 6455, section 4.1). */

import { ConnectionLostError, HeadError, ProtocolError } from "../../errors.ts";
import { printable } from "../../internal/text.ts";
import {
  formatAddress,
  type Transport,
  type WebConnectOptions,
  type WebSocketEndpoint,
} from "../../transport.ts";
import type { Upgraded } from "./accept.ts";
import { type Agreed, agreedIn, OFFER } from "./extensions.ts";
import { hasToken, type Head, isField, latin1, readHead } from "./head.ts";
import { acceptOf, newKey } from "./key.ts";
import { writeText } from "./stream.ts";
import { checkSubprotocols } from "./subprotocol.ts";

/** How many bytes of a refusal's text are read, and how many characters are shown. */
const MAX_BODY_BYTES = 2048;
const MAX_SHOWN = 200;

/** Fields that the handshake sets itself. */
const OWN_FIELDS = /^(host|upgrade|connection|content-length|transfer-encoding|sec-websocket-.*)$/i;

/** What a client asks for. */
export interface Offer {
  readonly endpoint: WebSocketEndpoint;
  /** The names of which the server may pick one. */
  readonly subprotocols: readonly string[];
  /** Whether messages may be compressed. */
  readonly deflates: boolean;
  /** Further lines of the request's head. */
  readonly lines: string;
}

/**
 * Checks what a client wants to ask for.
 *
 * @throws {TypeError} if a name or a field cannot be sent.
 */
export function offerFor(endpoint: WebSocketEndpoint, web: WebConnectOptions = {}): Offer {
  const { subprotocols = [], headers = {}, deflate: deflates = endpoint.deflate ?? false } = web;
  checkSubprotocols(subprotocols);
  const fields = Object.entries(headers).map(([name, value]) => {
    if (OWN_FIELDS.test(name)) {
      throw new TypeError(`Cannot use web.headers with ${name}: the handshake sets it itself`);
    }
    // The error does not show the value, which may be a password.
    if (!isField(name, value)) {
      throw new TypeError(`Cannot use web.headers with ${printable(name)}: it cannot be sent`);
    }
    return `${name}: ${value}\r\n`;
  });
  const offered = subprotocols.length === 0
    ? ""
    : `Sec-WebSocket-Protocol: ${subprotocols.join(", ")}\r\n`;
  const extensions = deflates ? `Sec-WebSocket-Extensions: ${OFFER}\r\n` : "";
  return { endpoint, subprotocols, deflates, lines: fields.join("") + offered + extensions };
}

/**
 * Asks a server to upgrade the transport to a WebSocket. Resolves to the subprotocol that was
 * picked, and to what arrived behind the answer.
 *
 * @throws {ProtocolError} {ConnectionLostError} which says what the server did instead.
 */
export async function upgrade(
  transport: Transport,
  { endpoint, subprotocols, deflates, lines }: Offer,
): Promise<Upgraded> {
  const key = newKey();
  await writeText(
    transport,
    `GET ${endpoint.path} HTTP/1.1\r\nHost: ${hostField(endpoint)}\r\nUpgrade: websocket\r\n` +
      `Connection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n` +
      `${lines}\r\n`,
  );
  const head = await readAnswer(transport);
  const [, status, text] = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(head.startLine) ?? [];
  if (status === undefined) {
    refuse(`the server's answer "${excerpt(head.startLine)}" is not HTTP/1.1`);
  }
  const { fields } = head;
  if (status !== "101") {
    const reason = await answerText(transport, head);
    const statusText = text ? ` ${excerpt(text)}` : "";
    refuse(`the server answered ${status}${statusText}${reason ? `: ${reason}` : ""}`);
  }
  if (!hasToken(fields, "upgrade", "websocket") || !hasToken(fields, "connection", "upgrade")) {
    refuse("the server upgraded to something else");
  }
  if (fields.get("sec-websocket-accept") !== await acceptOf(key)) {
    refuse(
      "the server's Sec-WebSocket-Accept is not the answer to the key; a cache may be between",
    );
  }
  return {
    rest: head.rest,
    subprotocol: pickedIn(fields, subprotocols),
    deflate: extensionIn(fields, deflates),
  };
}

/** What the server agreed to of the offer. */
function extensionIn(fields: Headers, deflates: boolean): Agreed | undefined {
  const extensions = fields.get("sec-websocket-extensions");
  if (!extensions) return undefined;
  const agreed = deflates ? agreedIn(extensions) : undefined;
  if (agreed !== undefined) return agreed;
  refuse(
    `the server chose Sec-WebSocket-Extensions "${excerpt(extensions)}", which was not offered`,
  );
}

/** The one that the server picked. Where some were offered, none is a refusal, as in browsers. */
function pickedIn(fields: Headers, offered: readonly string[]): string | undefined {
  const picked = fields.get("sec-websocket-protocol") ?? "";
  if (picked === "") {
    if (offered.length === 0) return undefined;
    return refuse(`the server picked none of the subprotocols ${offered.join(", ")}`);
  }
  if (offered.includes(picked)) return picked;
  refuse(`the server chose Sec-WebSocket-Protocol "${excerpt(picked)}", which was not offered`);
}

/** The Host field as browsers write it: in ASCII, without a default port or a zone. */
function hostField({ transport, hostname, port }: WebSocketEndpoint): string {
  return new URL(`${transport}://${formatAddress(hostname.replace(/%.*/, ""), port)}`).host;
}

async function readAnswer(transport: Transport): Promise<Head> {
  try {
    return await readHead(transport, checkStart);
  } catch (error) {
    if (error instanceof HeadError) refuse(`the server did not answer as HTTP: ${error.message}`);
    if (error instanceof ConnectionLostError) {
      throw new ConnectionLostError(
        "the server closed before it answered; it may speak no WebSocket there",
        { cause: error },
      );
    }
    throw error;
  }
}

/** Refuses a server with another protocol at its first byte. */
function checkStart(head: Uint8Array): void {
  const start = latin1(head.subarray(0, 5));
  if ("HTTP/".startsWith(start)) return;
  // A TLS record: an alert or a handshake, version 3.
  if ((head[0] === 0x15 || head[0] === 0x16) && (head.length < 2 || head[1] === 3)) {
    refuse("the server speaks TLS; use wss://");
  }
  refuse(
    `the server does not speak HTTP: it began with "${excerpt(latin1(head.subarray(0, 20)))}"`,
  );
}

/** What the server says about its refusal: where it redirects, or the first line of its text. */
async function answerText(
  transport: Transport,
  { fields, rest, startLine }: Head,
): Promise<string> {
  const location = fields.get("location");
  if (/^\S+ 3/.test(startLine) && location !== null) {
    return `it sends to ${
      excerpt(location)
    }, which is not followed; connect there if that is right`;
  }
  if (!/^text\/plain\b/i.test(fields.get("content-type") ?? "text/plain")) return "";
  if (fields.has("transfer-encoding")) return "";
  const announced = Number(fields.get("content-length") ?? NaN);
  const wanted = Math.min(MAX_BODY_BYTES, Number.isInteger(announced) ? announced : MAX_BODY_BYTES);
  const body = new Uint8Array(wanted);
  let length = 0;
  for (let chunk = rest; length < wanted;) {
    if (chunk !== undefined) {
      body.set(chunk.subarray(0, wanted - length), length);
      length += Math.min(chunk.length, wanted - length);
    }
    if (length === wanted || body.subarray(0, length).includes(0x0a)) break;
    chunk = await transport.read().catch(() => undefined);
    if (chunk === undefined) break;
  }
  const text = new TextDecoder().decode(body.subarray(0, length));
  return excerpt(text.trimStart().split(/\r?\n/, 1)[0].trim());
}

function excerpt(text: string): string {
  const line = printable(text.slice(0, MAX_SHOWN));
  return text.length > MAX_SHOWN ? `${line}…` : line;
}

function refuse(why: string): never {
  throw new ProtocolError(why);
}
