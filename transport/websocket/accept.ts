/** The server's side of the handshake (RFC 6455, section 4.2). */

import { hint } from "../../codec/internal.ts";
import { HeadError } from "../../errors.ts";
import { hostnameOf, isLoopback } from "../../internal/address.ts";
import { printable } from "../../internal/text.ts";
import type { Transport } from "../../transport.ts";
import type { OpenOptions } from "../kind.ts";
import { hasLeft } from "../tls/errors.ts";
import { type Agreed, choose } from "./extensions.ts";
import { hasBody, hasToken, type Head, readHead } from "./head.ts";
import { acceptOf, isKey } from "./key.ts";
import { allowsOrigin } from "./origin.ts";
import { refuse } from "./refusal.ts";
import { writeText } from "./stream.ts";
import { offeredIn, type Pick as PickSubprotocol } from "./subprotocol.ts";
import { isMethod, urlOf } from "./target.ts";

const FAILED = "The server failed to answer";

/** How an endpoint accepts WebSockets. */
export interface AcceptSettings {
  /** Whether the peer uses TLS. */
  readonly isSecure: boolean;
  /** The endpoint's path. */
  readonly path: string;
  /** Origins that may connect in addition to the server's own. */
  readonly origins: ReadonlySet<string>;
  /** Picks the subprotocol. */
  readonly pick: PickSubprotocol;
  /** Whether messages may be compressed. */
  readonly deflates: boolean;
  /** Answers the requests of a peer that does not ask for a WebSocket, of which `first` was read. */
  answer(transport: Transport, first: readonly Uint8Array[], options: OpenOptions): Promise<void>;
}

/** The result of an accepted handshake. */
export interface Upgraded {
  /** What arrived behind the request. */
  readonly rest: Uint8Array | undefined;
  /** The subprotocol that was picked. */
  readonly subprotocol: string | undefined;
  /** How messages are compressed; undefined if they are not. */
  readonly deflate: Agreed | undefined;
}

/** A request that was read. */
interface HttpRequest extends Head {
  readonly method: string;
  readonly version: string;
  readonly url: URL;
}

/** What a peer asks for, or why that is no request; undefined if it left before it sent a byte. */
export type Asked = { readonly request: HttpRequest } | { readonly error: HeadError } | undefined;

/** Reads a request. */
export async function readRequest(
  transport: Transport,
  { isSecure }: Pick<AcceptSettings, "isSecure">,
): Promise<Asked> {
  const first = await readFirst(transport);
  if (first === undefined) return undefined;
  try {
    return { request: parseRequest(await readHead(transport, checkStart, first), isSecure) };
  } catch (error) {
    if (error instanceof HeadError) return { error };
    throw error;
  }
}

/**
 * Reads a request, unless it was read. If it asks for a WebSocket, accepts the handshake. Otherwise
 * answers the request, and resolves to undefined. Also resolves to undefined if the peer left before
 * it sent a byte: browsers open connections in advance.
 *
 * Calls `options.answering` before it answers a request that asks for no WebSocket.
 *
 * @throws {HeadError} if the request is not valid, after the peer was told so.
 * @throws {RefusedError} that `options.judge` gives, after the peer was told so.
 * @throws what `respond` or `pick` throws, after the request was answered with 500.
 */
export async function accept(
  transport: Transport,
  settings: AcceptSettings,
  options: OpenOptions,
  given?: Asked,
): Promise<Upgraded | undefined> {
  const asked = given ?? await readRequest(transport, settings);
  if (asked === undefined) return undefined;
  let request: HttpRequest | undefined;
  let offered: readonly string[];
  try {
    if ("error" in asked) throw asked.error;
    request = asked.request;
    if (!hasToken(request.fields, "upgrade", "websocket") || !isAt(request, settings.path)) {
      if (!isMethod(request.method)) {
        throw new HeadError(`method ${request.method} is not supported`, 501);
      }
      options.answering?.();
      const { bytes, rest } = request;
      await settings.answer(transport, rest === undefined ? [bytes] : [bytes, rest], options);
      return undefined;
    }
    checkHandshake(request, settings, isLoopback(hostnameOf(transport.remote) ?? ""));
    offered = offeredIn(request.fields);
  } catch (error) {
    if (!(error instanceof HeadError)) throw error;
    const { status, fields } = error;
    const message = `Cannot accept WebSocket: ${error.message}`;
    // Ignored if it fails: the HeadError is more important.
    if (status !== undefined) await refuse(transport, status, message, fields).catch(() => {});
    throw new HeadError(message, status, fields);
  }
  const { url, fields: headers } = request;
  const refused = await options.judge?.({ url, headers, subprotocols: offered }, transport);
  if (refused !== undefined) {
    // Ignored if it fails: the refusal is more important.
    await refuse(transport, refused.status, refused.message, refused.headers).catch(() => {});
    throw refused;
  }
  const subprotocol = await picked(transport, request, offered, settings);
  const deflate = settings.deflates
    ? choose(request.fields.get("sec-websocket-extensions"))
    : undefined;
  const proof = await acceptOf(request.fields.get("sec-websocket-key")!);
  await writeText(
    transport,
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${proof}\r\n` +
      (subprotocol === undefined ? "" : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`) +
      (deflate === undefined ? "" : `Sec-WebSocket-Extensions: ${deflate.field}\r\n`) + "\r\n",
  );
  return { rest: request.rest, subprotocol, deflate };
}

/** Asks the program, whose error is answered with 500. */
async function picked(
  transport: Transport,
  { url, method, fields }: HttpRequest,
  offered: readonly string[],
  settings: AcceptSettings,
): Promise<string | undefined> {
  try {
    return settings.pick(offered, new Request(url, { method, headers: fields }));
  } catch (error) {
    await refuse(transport, 500, FAILED).catch(() => {});
    throw error;
  }
}

/** The first chunk; undefined if the peer left before it sent one. */
async function readFirst(transport: Transport): Promise<Uint8Array | undefined> {
  try {
    return await transport.read();
  } catch (error) {
    if (hasLeft(error)) return undefined;
    throw error;
  }
}

/** Refuses a peer with another protocol at its first byte. */
function checkStart(head: Uint8Array): void {
  if (/[A-Z]/.test(String.fromCharCode(head[0]))) return;
  const isTls = head[0] === 0x16;
  const likely = hint(isTls ? new Uint8Array([0x16, 0x03]) : head);
  throw new HeadError(
    isTls
      ? "it looks like a TLS hello, for which an endpoint must be wss://"
      : `no HTTP request came${likely ? `, ${likely}` : ""}`,
    isTls ? undefined : 400,
  );
}

function parseRequest(head: Head, isSecure: boolean): HttpRequest {
  const [, method, target, version] =
    /^([A-Z]{1,20}) ([!-~]+) HTTP\/(\d\.\d)$/.exec(head.startLine) ?? [];
  if (version !== "1.1" && version !== "1.0") {
    throw new HeadError(
      `"${printable(head.startLine.slice(0, 60))}" is no request of HTTP/1.1`,
      400,
    );
  }
  const host = head.fields.get("host") ?? (version === "1.0" ? "localhost" : "");
  // It asks about the server as a whole, and not about a path.
  const isForServer = method === "OPTIONS" && target === "*";
  const url = urlOf(isForServer ? "/" : target, host, isSecure);
  if (url === undefined) throw new HeadError("the request's host or target is wrong", 400);
  return { ...head, method, version, url };
}

/** Whether a request is for the endpoint. The query is compared only if the endpoint has one. */
function isAt({ url }: HttpRequest, path: string): boolean {
  return path.includes("?") ? url.pathname + url.search === path : url.pathname === path;
}

/** Checks the requirements of section 4.2.1, and the origin. */
export function checkHandshake(
  { method, version, url, fields }:
    & Omit<HttpRequest, keyof Head | "isForServer">
    & Pick<Head, "fields">,
  { origins }: Pick<AcceptSettings, "origins">,
  isLocal: boolean,
): void {
  const refuse = (why: string, status: number, more?: Record<string, string>): never => {
    throw new HeadError(why, status, more);
  };
  if (method !== "GET" || version !== "1.1") {
    refuse(`it needs GET of HTTP/1.1, not ${method} of HTTP/${version}`, 400);
  }
  if (hasBody(Object.fromEntries(fields))) refuse("the request has a body", 413);
  if (!hasToken(fields, "connection", "upgrade")) {
    refuse("field Connection does not say Upgrade; a proxy in between may have dropped it", 400);
  }
  const wanted = fields.get("sec-websocket-version");
  if (wanted !== "13") {
    const shown = printable(wanted?.slice(0, 20) ?? "none");
    refuse(`its version is ${shown}, it must be 13`, 426, { "Sec-WebSocket-Version": "13" });
  }
  if (!isKey(fields.get("sec-websocket-key") ?? "")) {
    refuse("field Sec-WebSocket-Key is not 16 bytes in base64", 400);
  }
  const origin = fields.get("origin");
  if (origin !== null && !allowsOrigin(origins, origin, fields.get("host")!, isLocal)) {
    const shown = printable(origin.slice(0, 100));
    refuse(
      `origin ${shown} is not that of this server, ${
        ownOrigin(url, origin, isLocal)
      }; to allow it, ` +
        `its operator must list it (web.origins, --origin)`,
      403,
    );
  }
}

/** The server as it stands against an origin: with what differs, where host and port do not. */
function ownOrigin(url: URL, origin: string, isLocal: boolean): string {
  const parsed = URL.parse(origin);
  if (parsed === null || parsed.host !== url.host) return url.host;
  // An address or "localhost" would have been allowed, whatever else is the same.
  const isWeb = parsed.protocol === "http:" || parsed.protocol === "https:";
  return isWeb && isLocal
    ? `which is at loopback and does not go by the name ${url.hostname} of itself`
    : `${url.origin}, because of its scheme`;
}
