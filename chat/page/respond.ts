/**
 * The chat's page as an answer to an HTTP request.
 *
 * @module
 */

import { digest } from "./digest.ts";
import { PAGE, PAGE_TAG, SCRIPT_HASH, STYLE_HASH } from "./page.ts";

/** How the page begins to name the other servers of its chat. */
const NO_SERVERS = '<meta name="servers" content="">';
/** How it begins to say that its server has only plain connections. */
const NO_SESSIONS = '<meta name="sessions" content="no">';

const COMMON = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** The page as it is handed out. */
export interface HandedPage {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The page of a chat with one server. */
const PLAIN: HandedPage = { html: PAGE, headers: headersOf(PAGE_TAG, []) };

/** What a chat has. */
export interface PageOptions {
  /**
   * The endpoints of its other servers as URLs, as `new URL()` writes them: `wss://b.example:8080/`. Their
   * hosts are names, or addresses of IPv4. The page goes on at one of them when its own server is gone.
   *
   * @default []
   */
  readonly servers?: readonly string[];
  /**
   * Whether the endpoint has sessions for who offers the subprotocol for it, and so have those servers.
   * Then the page's connection outlives its network.
   *
   * @default false
   */
  readonly hasSessions?: boolean;
}

/** The page of a chat. */
export async function pageWith(
  { servers = [], hasSessions = false }: PageOptions,
): Promise<HandedPage> {
  if (servers.length === 0 && !hasSessions) return PLAIN;
  const content = escaped(servers.join(" "));
  const html = PAGE
    .replace(NO_SERVERS, () => `<meta name="servers" content="${content}">`)
    .replace(NO_SESSIONS, hasSessions ? '<meta name="sessions" content="yes">' : "$&");
  const origins = new Set(servers.map((server) => new URL(server).origin));
  return { html, headers: headersOf((await digest(html)).slice(0, 16), [...origins]) };
}

function headersOf(tag: string, origins: readonly string[]): HandedPage["headers"] {
  return {
    ...COMMON,
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": policyOf(origins),
    "Cache-Control": "no-cache",
    "ETag": `"${tag}"`,
  };
}

/**
 * Nothing but the page's own script and sheet, its icon, and WebSockets to where it came from
 * (`'self'` covers `ws:` and `wss:` of the same host and port) and to the other servers.
 */
function policyOf(origins: readonly string[]): string {
  return [
    "default-src 'none'",
    `script-src '${SCRIPT_HASH}'`,
    `style-src '${STYLE_HASH}'`,
    ["connect-src 'self'", ...origins].join(" "),
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/**
 * Answers a request with the page: at `path` (`/` unless given), for GET and HEAD. Everything else
 * is answered with an error as plain text. The request's body is not read.
 *
 * @example The page is where one asks for it
 * ```ts
 * import { respond } from "./respond.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(respond(new Request("http://127.0.0.1:8080/")).status, 200);
 * assertEquals(respond(new Request("http://127.0.0.1:8080/other")).status, 404);
 * ```
 */
export function respond(
  request: Request,
  path = "/",
  { html, headers }: HandedPage = PLAIN,
): Response {
  const { pathname } = new URL(request.url);
  if (pathname !== path) return problem(404, `There is no page at this address; try ${path}`);
  if (request.method !== "GET" && request.method !== "HEAD") {
    return problem(405, "This page can only be read", { Allow: "GET, HEAD" });
  }
  if (request.headers.get("If-None-Match") === headers.ETag) {
    return new Response(null, { status: 304, headers });
  }
  // For HEAD too: the server leaves the body out, but tells its length (RFC 9110, section 9.3.2).
  return new Response(html, { headers });
}

function problem(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { ...COMMON, ...headers, "Content-Type": "text/plain; charset=utf-8" },
  });
}

/** A text as the value of an attribute between double quotes. */
function escaped(text: string): string {
  return text.replace(/[&"<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
