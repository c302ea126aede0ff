/**
 * The chat's page as an answer to an HTTP request.
 *
 * @module
 */

import { PAGE, PAGE_TAG, SCRIPT_HASH, STYLE_HASH } from "./page.ts";

/**
 * Nothing but the page's own script and sheet, its icon, and a WebSocket to where it came from
 * (`'self'` covers `ws:` and `wss:` of the same host and port).
 */
const POLICY = [
  "default-src 'none'",
  `script-src '${SCRIPT_HASH}'`,
  `style-src '${STYLE_HASH}'`,
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const COMMON = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

const HEADERS = {
  ...COMMON,
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": POLICY,
  "Cache-Control": "no-cache",
  "ETag": `"${PAGE_TAG}"`,
};

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
export function respond(request: Request, path = "/"): Response {
  const { pathname } = new URL(request.url);
  if (pathname !== path) return problem(404, `There is no page at this address; try ${path}`);
  if (request.method !== "GET" && request.method !== "HEAD") {
    return problem(405, "This page can only be read", { Allow: "GET, HEAD" });
  }
  if (request.headers.get("If-None-Match") === HEADERS.ETag) {
    return new Response(null, { status: 304, headers: HEADERS });
  }
  // For HEAD too: the server leaves the body out, but tells its length (RFC 9110, section 9.3.2).
  return new Response(PAGE, { headers: HEADERS });
}

function problem(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { ...COMMON, ...headers, "Content-Type": "text/plain; charset=utf-8" },
  });
}
